# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that new instances' tokens are handed over in: JSON, by provider and name."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ._errors import UsageError
from ._gateway import Instance

Content = dict[str, dict[str, dict[str, Any]]]


class CredentialsFile:
    """A JSON file ``{provider: {name: {id, token, api_url}}}`` of mode 0600 that several runs may merge into."""

    def __init__(self, path: str) -> None:
        # Through a symbolic link the file that it points at is replaced, not the link.
        self._path = os.path.realpath(os.path.expanduser(path))

    def check(self) -> None:
        """Find out whether it can be written, before anything depends on it.

        :raises UsageError: if it can't, or holds anything but credentials.
        """
        with self._explained():
            self.read()
            with self._temporary(), contextlib.suppress(FileNotFoundError):
                os.close(os.open(self._path, os.O_RDWR | os.O_CLOEXEC))

    def read(self) -> Content:
        """What is in it; nothing if it isn't there.

        :raises UsageError: if it can't be read, or holds anything but credentials.
        """
        with self._explained():
            try:
                with open(self._path, "rb") as file:
                    return self._parse(file.read())
            except FileNotFoundError:
                return {}

    def merge(self, found: Sequence[tuple[str, str, Instance]]) -> None:
        """Add or replace ``(provider, api_url, instance)``; everything else in the file stays as it is.

        :raises UsageError: if the file can't be read or written; then it is as it was.
        """
        with self._explained(), self._locked():
            content = self.read()
            merged = {provider: dict(names) for provider, names in content.items()}
            for provider, api_url, instance in found:
                credentials = {"id": instance.id, "token": instance.token, "api_url": api_url}
                merged.setdefault(provider, {})[instance.name] = credentials
            if merged != content:
                self._replace(merged)

    def _parse(self, raw: bytes) -> Content:
        if not raw:
            return {}
        try:
            content = json.loads(raw)
        except (ValueError, RecursionError):
            kind = "is encrypted by Ansible Vault" if raw.startswith(b"$ANSIBLE_VAULT") else "isn't valid JSON"
            raise UsageError(f"credentials_file {self._path} {kind}; it was left as it is, name another file") from None
        sections = content.values() if isinstance(content, dict) else [None]
        if not all(isinstance(s, dict) and all(isinstance(v, dict) for v in s.values()) for s in sections):
            raise UsageError(
                f"credentials_file {self._path} doesn't hold credentials by provider and name; "
                "it was left as it is, name another file"
            )
        return dict(content)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of the file that is in place; a file that was replaced meanwhile is of no use."""
        while True:
            self._make_sure_of_file()
            descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if _is_same_file(descriptor, self._path):
                    yield
                    return
            finally:
                os.close(descriptor)

    def _make_sure_of_file(self) -> None:
        if os.path.exists(self._path):
            return
        # By a link, because whoever reads the file must never find it empty.
        with self._temporary() as (descriptor, temporary), contextlib.suppress(FileExistsError):
            os.write(descriptor, b"{}\n")
            os.link(temporary, self._path)

    def _replace(self, content: Mapping[str, Any]) -> None:
        with self._temporary() as (descriptor, temporary):
            with open(descriptor, "w", encoding="utf-8", closefd=False) as file:
                json.dump(content, file, indent=2, sort_keys=True, ensure_ascii=False)
                file.write("\n")
                file.flush()
            os.fsync(descriptor)
            os.replace(temporary, self._path)
        folder = os.open(os.path.dirname(self._path), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def _temporary(self) -> Iterator[tuple[int, str]]:
        """A file of mode 0600 in the same folder, which is gone afterwards unless it was moved into place."""
        folder, name = os.path.split(self._path)
        descriptor, path = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        try:
            yield descriptor, path
        finally:
            os.close(descriptor)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise UsageError(
                f"credentials_file {self._path} can't be written ({exc.strerror}); "
                "create its folder, or name another file"
            ) from None


def _is_same_file(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
