# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands for the module creation_journal in messages. Each can be pasted into a shell as printed."""

from __future__ import annotations

import os
import re

from .._common.environment import read_variable
from .._common.masking import passwords_in
from .entries import DEFAULT_JOURNAL, Entry

# Characters that a shell, Ansible's KEY=VALUE, its templates and the JSON of its output all leave as they are.
_PLAIN = re.compile(r"[\w./:@%+,-]+")
# Text that they leave as it is between a shell's single quotes.
_QUOTABLE = re.compile(r"(?!.*  )[^'\"\\\s](?:[^'\"\\]*[^'\"\\\s])?")
# The placeholder for an account's name. The module refuses it, because a name has no slash; so a command that is pasted
# without replacing it changes nothing.
_NAME = "/NAME/"


class JournalCommands:
    """The commands for the journal at ``location``, the value of the module's option.

    ``credentials_file`` is the task's, from which ``forget`` removes the instance's entry, too.
    """

    def __init__(self, location: str, credentials_file: str | None = None) -> None:
        self._options: dict[str, str] = {}
        self._before = ""
        self._credentials_file = credentials_file
        if location == os.path.expanduser(DEFAULT_JOURNAL) and not read_variable("MSGOPS_JOURNAL"):
            return  # the module's default
        if _PLAIN.fullmatch(location) and not passwords_in(location):
            self._options["journal"] = location
        elif _QUOTABLE.fullmatch(location) and location.isprintable() and not passwords_in(location):
            self._before = f"MSGOPS_JOURNAL='{location}' "
        else:
            self._before = "(with the journal's path or URL in the variable MSGOPS_JOURNAL) "

    def adopt(self, entry: Entry) -> str:
        """The command that says that the entry's instance exists; the placeholder ``ID`` stands for an unknown ID."""
        return self._command("adopt", entry, instance_id=_known_id(entry))

    def adopt_as(self, entry: Entry, account: str | None) -> str:
        """The same, which also names the instance's account; ``None`` leaves the name to the reader."""
        if account and _PLAIN.fullmatch(account):
            return self._command("adopt", entry, instance_id=_known_id(entry), account=account)
        command = self._command("adopt", entry, instance_id=_known_id(entry), account=_NAME)
        return f"(with the account's name, in double quotes, in the place of {_NAME}) {command}"

    def discard(self, entry: Entry) -> str:
        """The command that says that the creation never happened."""
        return self._command("discard", entry)

    def forget(self, entry: Entry) -> str:
        """The command that removes the entry."""
        options = {"instance_id": _known_id(entry)} if entry.instance_id else {}
        path = self._credentials_file
        if entry.instance_id and path and _PLAIN.fullmatch(path):
            options["credentials_file"] = path
        return self._command("forget", entry, **options)

    def _command(self, action: str, entry: Entry, **options: str) -> str:
        given = {"action": action, "operation_id": entry.operation_id, **options, **self._options}
        arguments = " ".join(f"{name}={value}" for name, value in given.items())
        return f"{self._before}ansible localhost -m msgops.fleet.creation_journal -a '{arguments}'"


def _known_id(entry: Entry) -> str:
    known = entry.instance_id or ""
    return known if _PLAIN.fullmatch(known) else "ID"
