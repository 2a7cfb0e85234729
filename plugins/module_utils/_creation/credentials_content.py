# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a credentials file holds: ``{provider: {key: {id, token, api_url}}}``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .._common.errors import UsageError
from .._http.address import canonical_address
from .._journal.entries import is_same_id, normal_id
from .._vendors.gateway import Instance

Content = dict[str, dict[str, dict[str, Any]]]

# Bytes that an entry may take besides its key and address: ID, token and punctuation.
_ENTRY_SIZE = 1024


def credentials_key(name: str, account: str | None = None) -> str:
    """The key of an instance under its provider."""
    return f"{account}/{name}" if account else name


@dataclass(frozen=True)
class Slot:
    """The place of an instance's entry: a key under the provider.

    ``gone`` are the normal IDs of deleted instances, whose entries may be replaced. ``account`` is the account's name.
    """

    provider: str
    name: str
    api_url: str
    gone: frozenset[str] = frozenset()
    account: str | None = None

    @property
    def key(self) -> str:
        """The key under the provider."""
        return credentials_key(self.name, self.account)

    @property
    def max_size(self) -> int:
        """The bytes that its entry may take."""
        return len(dump({self.provider: {self.key: {"api_url": self.api_url}}})) + _ENTRY_SIZE


def parse(raw: bytes, path: str) -> Content:
    """Parse a credentials file; ``path`` is for messages.

    :raises UsageError: if it holds anything but credentials.
    """
    if not raw:
        return {}
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        kind = "is encrypted by Ansible Vault" if raw.startswith(b"$ANSIBLE_VAULT") else "isn't valid JSON"
        raise UsageError(f"credentials_file {path} {kind}; it was left as it is, name another file") from None
    sections = content.values() if isinstance(content, dict) else [None]
    if not all(isinstance(s, dict) and all(isinstance(v, dict) for v in s.values()) for s in sections):
        raise UsageError(
            f"credentials_file {path} doesn't hold credentials by provider and name; it was left as it is, name "
            "another file"
        )
    return dict(content)


def dump(content: Mapping[str, Any]) -> bytes:
    """The file's bytes."""
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def put(content: Content, slot: Slot, instance: Instance) -> None:
    """Set the instance's entry."""
    entry = {"id": instance.id, "token": instance.token, "api_url": slot.api_url}
    content.setdefault(slot.provider, {})[slot.key] = entry


def find_token(content: Content, slot: Slot, instance_id: str, former_account: str | None) -> str | None:
    """The instance's token, also under a key from before its account got its name, or from when it had one."""
    entries = content.get(slot.provider, {})
    for key in (slot.key, slot.name, credentials_key(slot.name, former_account)):
        entry = entries.get(key, {})
        if is_same_id(entry.get("id"), instance_id) and isinstance(token := entry.get("token"), str):
            return token
    return None


def find_entries(content: Content, provider: str, keys: Iterable[str], instance_id: str) -> list[str]:
    """Those of ``keys`` under which the file has the instance's entry."""
    entries = content.get(provider, {})
    return [key for key in keys if is_same_id(entries.get(key, {}).get("id"), instance_id)]


def has_outdated_entry(content: Content, slot: Slot, instance: Instance) -> bool:
    """Whether the instance's account has just got its name: the entry is still only under the instance's name."""
    entries = content.get(slot.provider, {})
    outdated = entries.get(slot.name)
    return bool(slot.account and outdated and slot.key not in entries and _is_entry_for(outdated, slot, instance))


def find_conflict(content: Content, slot: Slot, instance: Instance | None, path: str) -> UsageError | None:
    """The error if another instance's entry is in the slot of ``instance``, or of the one that is to be created."""
    entry = content.get(slot.provider, {}).get(slot.key)
    if not entry or normal_id(entry.get("id")) in slot.gone or (instance and _is_entry_for(entry, slot, instance)):
        return None
    mine = f"instance {instance.id}" if instance else "a new instance"
    again = "" if instance else "run this task again if another run has just made it, "
    return UsageError(
        f"credentials_file {path} has the entry {slot.key} of {slot.provider} instance {entry.get('id')} at "
        f"{entry.get('api_url')}, which is never overwritten by that of {mine} at {slot.api_url}; {again}tell two "
        "accounts apart by account, name another file, or remove the entry if its instance is gone"
    )


def _is_entry_for(entry: Mapping[str, Any], slot: Slot, instance: Instance) -> bool:
    """Whether the entry is the instance's; another gateway may have given the same ID."""
    if not is_same_id(entry.get("id"), instance.id):
        return False
    url = entry.get("api_url") or slot.api_url
    return entry.get("token") == instance.token or _is_same_address(str(url), slot.api_url)


def _is_same_address(one: str, other: str) -> bool:
    """Whether both spell the same address; text that is no URL equals only itself."""
    try:
        return canonical_address(one) == canonical_address(other)
    except UsageError:
        return one == other
