# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a provisioning task, and the lines that tell a person what to do."""

from __future__ import annotations

import collections
import json
from collections.abc import Iterator, Sequence
from typing import Any

from .._common.errors import failed
from .._common.states import UNKNOWN, remedy_for
from .._common.texts import join_first, one_line
from .member import Member
from .stages import Stages

# What differs from run to run although nothing has happened.
_FLEETING = ("action", "due")
# The actions that a person wants to know of.
_NEWS = ("created", "adopted", "would_create")


def report(members: Sequence[Member], stages: Stages) -> dict[str, Any]:
    """The module's result. It holds no tokens."""
    asserts = stages.asserts(members)
    instances = [member.as_result() for member in members]
    failing = [item for member, item in zip(members, instances, strict=True) if _is_failing(member, asserts=asserts)]
    summary = summarize(instances)
    lines = [*dict.fromkeys(stages.errors), *_lines(failing)]
    headline = f"{summary['authorized']} of {summary['total']} instances are authorized"
    result: dict[str, Any] = {
        "changed": stages.changed,
        "instances": instances,
        "summary": summary,
        "passed": not failing and not stages.errors,
        "verdict": [headline, *lines],
        "news": [
            *(_news(item) for item in instances if item["action"] in _NEWS),
            *_settings_news(members),
            *map(one_line, [*stages.provisioner.warnings, *stages.warnings]),
        ],
        "trials": list(_trials(members)),
        "diff": stages.diffs,
    }
    return result if result["passed"] else result | failed(f"{headline}: {join_first(lines, separator='; ')}")


def summarize(instances: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How many instances are in which state. An instance that doesn't exist isn't unreadable."""
    by_state = collections.Counter(item["state"] for item in instances if item["state"] is not None)
    return {
        "total": len(instances),
        "authorized": sum(item["authorized"] for item in instances),
        "unreadable": sum(item["id"] is not None and item["state"] is None for item in instances),
        "by_state": dict(sorted(by_state.items())),
    }


def as_file(result: dict[str, Any]) -> bytes:
    """The content of the report's file, which stays the same until a state changes."""
    kept = [{key: value for key, value in item.items() if key not in _FLEETING} for item in result["instances"]]
    content = {"instances": kept, "summary": result["summary"]}
    return (json.dumps(content, indent=4, sort_keys=True, ensure_ascii=False) + "\n").encode(
        "utf-8", "backslashreplace"
    )


def _is_failing(member: Member, *, asserts: bool) -> bool:
    if member.settings_progress and member.settings_progress.error:
        return True
    if member.subscription and member.subscription.error:
        return True
    return not member.is_authorized if asserts else not member.is_created


def _settings_news(members: Sequence[Member]) -> Iterator[str]:
    for member in members:
        progress = member.settings_progress
        if progress and progress.changes and progress.action in ("applied", "unverified", "would_apply"):
            verb = "would change" if progress.action == "would_apply" else "changed"
            yield f"{verb} {', '.join(sorted(progress.changes))} of {progress.target.name_or_id} at {member.provider}"


def _news(item: dict[str, Any]) -> str:
    return f"{item['action'].replace('_', ' ')} {_label(item)}"


def _trials(members: Sequence[Member]) -> Iterator[str]:
    """A line for each instance that its gateway deletes unless somebody pays for it."""
    for member in members:
        if member.trial_ends_at:
            yield one_line(
                f"{member.name} at {member.provider} is in trial: it is deleted at {member.trial_ends_at} unless "
                "it is subscribed (provision_subscribe: true, or instance_subscription)"
            )


def _label(item: dict[str, Any]) -> str:
    return one_line(f"{item['name'] or item['id']} at {item['provider']}")


def _lines(instances: Sequence[dict[str, Any]]) -> Iterator[str]:
    """One line for each instance that has an error or a state; each error's text is printed once."""
    first: dict[str, str] = {}
    for item in instances:
        label, error = _label(item), item["error"]
        if error and (same := first.setdefault(error["message"], label)) != label:
            yield f"{label}: the same as {same}"
        elif error:
            yield f"{label}: {error['message']}"
        elif item["state"]:
            word = f" ({one_line(item['vendor_state'])})" if item["state"] == UNKNOWN else ""
            yield f"{label} is {item['state']}{word}; {remedy_for(item['state'])}"
