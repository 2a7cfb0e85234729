# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was said, held against the gateway's own record."""

from __future__ import annotations

import collections
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ansible_collections.msgops.fleet.tests.storm.creations import (
    FULFILLED,
    KILLED,
    MISTAKEN,
    REFUSED,
    SAYINGS,
    Creation,
)
from ansible_collections.msgops.fleet.tests.storm.runs import Result

from msgops_emulator import EmulatorProcess

Key = tuple[str, str]

# An answer of which the sender could have got no clear word.
_BROKEN = ("truncate", "garbage", "reset", "close", "hang")
_OPEN = (408, 499)
# Answers that are odd or refuse, and are clear all the same.
_CLEAR = ("charset", "informational", "status")


@dataclass
class Record:
    """The emulator's side of a storm; no output may hold any of the ``secrets``."""

    emulator: EmulatorProcess
    provider: str
    secrets: set[str] = field(default_factory=set)

    def now(self) -> int:
        """A mark in the log: what comes later is ``since`` it."""
        return int(self.emulator.log_page(since=2**62)["last"])

    def instances(self) -> dict[Key, list[dict[str, Any]]]:
        """What was ever made, by account and name, deleted ones too."""
        found: dict[Key, list[dict[str, Any]]] = collections.defaultdict(list)
        for instance in self.emulator.instances(provider=self.provider):
            found[instance["account"], instance["name"]].append(instance)
        return found

    def posts(self, since: int) -> dict[str, list[dict[str, Any]]]:
        """The creations that reached the gateway, by name."""
        found = collections.defaultdict(list)
        for entry in self.emulator.log(route=f"{self.provider}.create", since=since):
            if entry["body"]:
                found[str(json.loads(entry["body"]).get("name"))].append(entry)
        return found

    def hear(self, batch: Sequence[Creation], result: Result | None, *, since: int | None) -> None:
        """Note what a run said of each name, and whether it was a lie.

        ``since`` is a mark from before the run, if no other run worked on these names meanwhile.
        """
        if result is None:
            for creation in batch:
                creation.said.append(KILLED)
            return
        there = self.instances()
        posts = None if since is None else self.posts(since)
        for place in self.places_of_secrets(json.dumps(result, ensure_ascii=False), batch, there):
            batch[0].lies.append(f"a result shows {place}")
        if "instances" not in result:
            self._hear_refusal(batch, str(result.get("msg")), posts)
            return
        warnings = [warning for warning in result.get("warnings", ()) if "token" in warning]
        is_warned = any("was not seen before" in warning and "with account" in warning for warning in warnings)
        for creation, outcome in zip(batch, result["instances"], strict=True):
            creation.message = outcome["error"]["message"] if outcome["error"] else ""
            # Another account's token can look like a renewed one; but then the user must be told so.
            if is_warned and _is_of_another_account(creation, outcome["id"], there):
                creation.said.append(MISTAKEN)
                continue
            creation.said.append(outcome["action"])
            # The name may be followed by a full stop, or by an ID in brackets.
            creation.warned |= any(re.search(rf"[ /]{re.escape(creation.name)} ", warning) for warning in warnings)
            own = None if posts is None else posts.get(creation.name, [])
            creation.lies += _lies(creation, outcome, there[creation.key], own)

    def places_of_secrets(
        self, text: str, batch: Iterable[Creation], there: Mapping[Key, Sequence[Mapping[str, Any]]]
    ) -> list[str]:
        """What of the accounts' and these instances' tokens stands in a text, raw or as URLs have it."""
        tokens = {
            f"the token of {creation.name}": str(instance["token"])
            for creation in batch
            for instance in there.get(creation.key, ())
        }
        tokens |= {f"secret number {number}": secret for number, secret in enumerate(sorted(self.secrets))}
        return [place for place, token in tokens.items() if _shows(text, token)]

    def _hear_refusal(self, batch: Sequence[Creation], message: str, posts: Mapping[str, Any] | None) -> None:
        for creation in batch:
            creation.said.append(REFUSED)
            creation.message = message
            if any(entry["committed"] for entry in (posts or {}).get(creation.name, ())):
                creation.lies.append(f"a run failed as a whole after it had created {creation.name}: {message}")
            if "a bug in" in message:
                creation.lies.append(message)


def _lies(
    creation: Creation, outcome: Mapping[str, Any], there: Sequence[Mapping[str, Any]], posts: Sequence[Any] | None
) -> list[str]:
    """What the record contradicts; ``posts`` are the creations that the run has sent of this name, if that is known."""
    action, name, message = outcome["action"], creation.name, creation.message
    lies = []
    if action in FULFILLED and outcome["id"] not in {str(instance["id"]) for instance in there}:
        lies.append(f"{action} as {outcome['id']}, but no {name} of the account is that")
    # A run that sent no request doesn't know whether there is an instance.
    if action == "failed" and (posts or posts is None) and not _knows_better(message):
        if there:
            lies.append(f"failed, but the gateway has {name}: {message}")
        elif any(_is_open(entry) for entry in posts or ()):
            lies.append(f"failed, though the outcome of {name} was open: {message}")
    # On a busy machine a run may time out before a clear response; but if it gets the response, it must read it.
    if action == "unknown" and any(entry["fault"] in _CLEAR for entry in posts or ()) and " within " not in message:
        lies.append(f"unknown, but the gateway has told of {name} in full: {message}")
    if "a bug in" in message:
        lies.append(message)
    return lies


def _is_of_another_account(creation: Creation, instance_id: str | None, there: Mapping[Key, Sequence[Any]]) -> bool:
    return any(
        instance_id == str(instance["id"])
        for (account, name), instances in there.items()
        if name == creation.name and account != creation.ground.account
        for instance in instances
    )


def duplicates(creations: Iterable[Creation], there: Mapping[Key, Sequence[Any]]) -> dict[Key, int]:
    """Instances more than one, by account and name."""
    keys = {creation.key for creation in creations}
    return {key: len(there[key]) - 1 for key in keys if len(there.get(key, ())) > 1}


def lost(
    creations: Iterable[Creation], provider: str, there: Mapping[Key, Sequence[Mapping[str, Any]]]
) -> list[Creation]:
    """Creations whose instance or token isn't in their credentials file as the gateway has it."""
    files: dict[Path, dict[str, Any]] = {}

    def in_file(creation: Creation) -> tuple[Any, Any]:
        path = creation.ground.credentials_file
        if path not in files:
            text = path.read_text() if path.exists() else ""
            files[path] = json.loads(text or "{}").get(provider, {})
        entry = files[path].get(creation.ground.key(creation.name), {})
        return entry.get("id"), entry.get("token")

    return [
        creation
        for creation in creations
        if in_file(creation) not in {(str(i["id"]), i["token"]) for i in there.get(creation.key, ())}
    ]


def table(
    faults: Sequence[str], creations: Sequence[Creation], too_many: Mapping[Key, int], without: Iterable[Creation]
) -> str:
    """What each fault led to, as Markdown."""
    tokenless = set(without)
    counts = ("resolved", "duplicates", "tokens lost", "of them told")
    lines = [
        f"| fault | creations | first said: {' | '.join(SAYINGS)} | {' | '.join(counts)} |",
        "| --- |" + " ---: |" * (1 + len(SAYINGS) + len(counts)),
    ]
    for fault in (*faults, ""):
        chosen = [creation for creation in creations if fault in ("", creation.fault)]
        first = collections.Counter(creation.said[0] for creation in chosen if creation.said)
        missing = [creation for creation in chosen if creation in tokenless]
        cells = [
            fault or "**all**",
            len(chosen),
            *(first[saying] for saying in SAYINGS),
            sum(creation.is_fulfilled for creation in chosen),
            sum(too_many.get(creation.key, 0) for creation in chosen),
            len(missing),
            sum(creation.warned for creation in missing),
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def _is_open(entry: Mapping[str, Any]) -> bool:
    """Whether the run that sent this can't know its outcome."""
    status = entry["status"]
    return status is None or status >= 500 or status in _OPEN or entry["fault"] in _BROKEN


def _knows_better(message: str) -> bool:
    """Whether a failure doesn't say that there is no instance, but only that this run couldn't see to it."""
    return any(words in message for words in ("another run", "It is not created again", "credentials_file", "Listing "))


def _shows(text: str, token: str) -> bool:
    # JSON escapes quotation marks and the backslash, of which tokens have none.
    return any(spelling in text for spelling in (token, quote(token), quote(token, safe="")))
