# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts for a core that is careless in one way each. A storm that weathers it is blind."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import requests.utils
from ansible_collections.msgops.fleet.plugins.module_utils._common import errors
from ansible_collections.msgops.fleet.plugins.module_utils._http import connection, messages
from ansible_collections.msgops.fleet.plugins.module_utils._journal import journal
from ansible_collections.msgops.fleet.plugins.module_utils._vendors import accounts


def nothing(*_arguments: Any, **_options: Any) -> None:
    """Do nothing."""


def no_step(*_arguments: Any, **_options: Any) -> Iterator[Any]:
    """Take no step."""
    return iter(())


@contextlib.contextmanager
def no_room(*_arguments: Any, **_options: Any) -> Iterator[None]:
    """Keep no room for what is to be written."""
    yield


def send(self: Any, data: Any) -> None:
    """Send, and not notice it."""
    super(connection._Connection, self).send(data)


def environment_proxies(base_url: str) -> dict[str, str]:
    """The proxies that the environment names, for loopback addresses, too."""
    return dict(requests.utils.get_environ_proxies(base_url))


def decode(content: bytes, *_arguments: Any) -> str:
    """Read every answer as UTF-8, whatever it declares."""
    return content.decode(json.detect_encoding(content))


def name_or_none(item: Mapping[str, Any]) -> str | None:
    """Take an instance without a name for one whose name can't be read."""
    name = item.get("name")
    return name if isinstance(name, str) else None


def by_token(account: Any, entry: Any) -> Any:
    """Know an account by the spelling of its address and by its token, and by nothing else."""
    return accounts.Kinship.SAME if account.access in entry.accesses else accounts.Kinship.OTHER


def by_address(_account: Any, _entry: Any) -> Any:
    """Take every account for the same one."""
    return accounts.Kinship.SAME


_begin_lease = journal.Lease.__init__


def shared_lease(self: Any, storage: Any, _owner: str, keys: Any, policy: Any) -> None:
    """Let every run act on the lease of every other one."""
    _begin_lease(self, storage, "everybody", keys, policy)


class EndOfLease:
    """When a lease ends that begins now, as this machine's clock has it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __float__(self) -> float:
        return self._seconds

    def __conform__(self, _protocol: Any) -> float:
        """What SQLite writes."""
        return time.time() + self._seconds


def lease_by_the_clock(self: Any, storage: Any, owner: str, keys: Any, policy: Any) -> None:
    """Give leases an end instead of a duration."""
    shared_lease(self, storage, owner, keys, dataclasses.replace(policy, duration=EndOfLease(policy.duration)))


def is_over(_self: Any, _key: Any, _beat: Any, end: float) -> bool:
    """Whether a lease has ended, as this machine's clock has it; one of years to come is nonsense."""
    return not time.time() < end < time.time() + 60.0


# What the journal lets pass, the credentials file may not.
NO_SECOND_LOOK = {"_creation.credentials.find_conflict": nothing}
EVERYTHING_SENT_IS_KNOWN = {"_http.connection._Connection.send": send}
INFORMATIONAL_IS_FINAL = {"_http.connection._Response._read_status": http.client.HTTPResponse._read_status}
PROXIES_FOR_LOOPBACK = {"_http.session._proxies": environment_proxies}
ONE_CHARSET = {"_http.parsing._decode": decode}
EVERY_INSTANCE_HAS_A_NAME = {"_vendors.green_api_responses.name_in": name_or_none}
TOKENS_ARE_FOR_EVER = {"_creation.claim.kinship": by_token, **NO_SECOND_LOOK}
ONE_ACCOUNT_FOR_ALL = {"_creation.claim.kinship": by_address}
NO_ROOM_IS_KEPT = {"_creation.credentials.CredentialsFile.reserved": no_room}
NO_JOURNAL = {
    **{f"_journal.journal.Lease.{method}": nothing for method in ("acquire", "note_uses", "_write")},
    **NO_SECOND_LOOK,
}
NO_OWNER = {
    "_journal.journal.Lease.__init__": shared_lease,
    "_journal.journal.Lease.release": nothing,
    **NO_SECOND_LOOK,
}
LEASES_END_BY_THE_CLOCK = {
    **NO_OWNER,
    "_journal.journal.Lease.__init__": lease_by_the_clock,
    "_journal.journal._Watch.has_lapsed": is_over,
    "_journal.journal.Lease.release": journal.Lease.release,
}
NOBODY_IS_WARNED = {"_creation.provisioner.Provisioner._warn_of_new_tokens": nothing}
POSTS_AFTER_502 = {
    "_http.messages._REFUSALS": {502: messages.StatusMeaning("unavailable", True, errors.Delivery.NOT_SENT)}
}
OPEN_IS_REFUSED = {"_http.messages._REFUSALS": {499: messages.StatusMeaning("timeout", False, errors.Delivery.REFUSED)}}
