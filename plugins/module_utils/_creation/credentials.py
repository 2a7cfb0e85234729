# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that new instances' tokens are handed over in: JSON, by provider and name.

A gateway may tell a token only once. So before anything is created, all is done that writing the token takes, and what
can run out meanwhile (room on the disk, open files) is held until the token is written.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import stat
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._common.atomic_file import AtomicFile
from .._common.errors import UsageError
from .._common.files import UnfitFile, file_kind
from .._common.reservation import Reservation
from .._http.address import canonical_address
from .._vendors.gateway import Instance

Content = dict[str, dict[str, dict[str, Any]]]

_MODE = 0o600
# Bytes: an entry without its key and address, and what other runs may add meanwhile.
_ENTRY = 1024
_OTHERS = 16 * 1024
# Seconds that another run may keep the file, which takes it milliseconds.
_LOCK_TIMEOUT = 30.0
_PAUSE = 0.01

_REMEDIES = {
    errno.ENOENT: "create its folder, or name another file",
    errno.ENOTDIR: "create its folder, or name another file",
    errno.ENOSPC: "make room for it, or name a file elsewhere",
    errno.EDQUOT: "make room for it, or name a file elsewhere",
    errno.EFBIG: "raise the limit on the size of files, or name a smaller file",
    errno.EBUSY: "it is a mount point and can't be replaced: mount its folder instead, or name another file",
    errno.ENOLCK: "its file system has no locks: mount it with locks, or name a file elsewhere",
    errno.EMFILE: "raise the limit on open files (ulimit -n), or lower concurrency",
}


@dataclass(frozen=True)
class Slot:
    """Where an instance's entry goes: the key under the provider.

    ``gone`` are the IDs of instances that were there once and aren't any more, which the entry may replace.
    """

    provider: str
    key: str
    api_url: str
    gone: frozenset[str] = frozenset()


def credentials_key(name: str, account: str | None = None) -> str:
    """The key of an instance under its provider."""
    return f"{account}/{name}" if account else name


class CredentialsFile:
    """A JSON file ``{provider: {key: {id, token, api_url}}}`` of mode 0600 that several runs may merge into."""

    def __init__(self, path: str) -> None:
        """``path`` is absolute."""
        self._path = path
        self._mutex = threading.Lock()
        self._reservation: Reservation | None = None
        self._failure: UsageError | None = None

    def check(self) -> None:
        """Find out what is there, before anything depends on it.

        :raises UsageError: if it can't be written, or holds anything but credentials.
        """
        with self._explained(), self._target() as target, contextlib.suppress(FileNotFoundError):
            descriptor = target.open(os.O_RDWR)
            try:
                self._parse(_read(descriptor))
                _make_private(descriptor)
            finally:
                os.close(descriptor)

    def read(self) -> Content:
        """What is in it; nothing if it isn't there.

        :raises UsageError: if it can't be read, or holds anything but credentials.
        """
        with self._explained("read"), self._target() as target:
            try:
                descriptor = target.open(os.O_RDONLY)
            except FileNotFoundError:
                return {}
            try:
                return self._parse(_read(descriptor))
            finally:
                os.close(descriptor)

    def conflict(self, content: Content, slot: Slot, instance: Instance | None) -> UsageError | None:
        """Why ``instance``, or the one that shall be created, can't have the slot: another one's entry is there."""
        there = content.get(slot.provider, {}).get(slot.key)
        if not there or str(there.get("id")) in slot.gone or (instance and _is_same(there, slot, instance)):
            return None
        mine = f"instance {instance.id}" if instance else "a new instance"
        again = "" if instance else "run this task again if another run has just made it, "
        return UsageError(
            f"credentials_file {self._path} has the entry {slot.key} of {slot.provider} instance {there.get('id')} at "
            f"{there.get('api_url')}, which is never overwritten by that of {mine} at {slot.api_url}; {again}tell two "
            "accounts apart by account, name another file, or remove the entry if its instance is gone"
        )

    @contextlib.contextmanager
    def reserved(self, wanted: Sequence[tuple[Slot, Instance | None]]) -> Iterator[None]:
        """Prove that these can be written, by doing all that is done then, and keep room for them in the block.

        ``None`` is an instance that shall be created.

        :raises UsageError: if they can't, or if another instance's entry is in the way; what was there is as it was.
        """
        for (provider, key), count in Counter((slot.provider, slot.key) for slot, _instance in wanted).items():
            if count > 1:
                raise UsageError(f"{count} instances of {provider} would have the entry {key} in credentials_file")
        with contextlib.ExitStack() as stack:
            with self._explained():
                target = stack.enter_context(self._target())
                target.sweep()
                with self._locked(target) as descriptor:
                    content = self._parse(_read(descriptor))
                    for slot, instance in wanted:
                        if conflict := self.conflict(content, slot, instance):
                            raise conflict
                    size = len(_dump(content)) + sum(_entry_size(slot) for slot, _instance in wanted) + _OTHERS
                    reservation = stack.enter_context(Reservation.hold(target, size, os.fstat(descriptor), _MODE))
                    reservation.write(_dump(content), last=False)
                if reservation.failure:
                    raise reservation.failure
            self._reservation, self._failure = reservation, None
            try:
                yield
            finally:
                self._reservation = None

    def failure(self) -> UsageError | None:
        """Why nothing more must be created, although there was room: a token could not be written at once."""
        if self._failure is None and self._reservation and self._reservation.failure:
            return self._explanation(self._reservation.failure)
        return self._failure

    def merge(self, found: Iterable[tuple[Slot, Instance]], *, last: bool = False) -> None:
        """Add or renew the entries of ``found``; everything else in the file stays as it is.

        ``last`` gives the room up that was kept.

        :raises UsageError: if the file can't be read or written, or another instance's entry is there; then it is as
            it was.
        """
        with self._mutex:
            try:
                with self._explained(), self._target() as target, self._locked(target) as descriptor:
                    self._merge(target, descriptor, found, last=last)
            except UsageError as error:
                self._failure = error
                raise

    def _merge(
        self, target: AtomicFile, descriptor: int, found: Iterable[tuple[Slot, Instance]], *, last: bool
    ) -> None:
        content = self._parse(_read(descriptor))
        merged = {provider: dict(names) for provider, names in content.items()}
        for slot, instance in found:
            if conflict := self.conflict(merged, slot, instance):
                raise conflict
            merged.setdefault(slot.provider, {})[slot.key] = _entry(slot, instance)
        if merged == content:
            _make_private(descriptor)
        elif self._reservation:
            self._reservation.write(_dump(merged), last=last)
        else:
            target.replace(_dump(merged), os.fstat(descriptor), _MODE)

    def deliver(self, found: Sequence[tuple[Slot, Instance]]) -> None:
        """``merge``; where that fails and room was kept, write the entries into that, which takes nothing more.

        :raises UsageError: if the file is as it was; the message says where the entries are.
        """
        try:
            self.merge(found, last=True)
        except UsageError as error:
            rescued: Content = {}
            for slot, instance in found:
                rescued.setdefault(slot.provider, {})[slot.key] = _entry(slot, instance)
            path = self._reservation.rescue(_dump(rescued)) if self._reservation else None
            if path is None:
                raise
            raise UsageError(f"{error.message}. The new tokens are in {path}: keep that file") from None

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
    def _target(self) -> Iterator[AtomicFile]:
        if self._reservation:
            yield self._reservation.target
            return
        if kind := file_kind(self._path):
            raise UnfitFile(f"it is {kind}")
        with contextlib.closing(AtomicFile(self._path)) as target:
            yield target

    @contextlib.contextmanager
    def _locked(self, target: AtomicFile) -> Iterator[int]:
        """Hold the lock of the file that is in place; a file that was replaced meanwhile is of no use."""
        while True:
            if target.stat() is None:
                target.create(b"{}\n")
            try:
                descriptor = target.open(os.O_RDWR)
            except FileNotFoundError:
                continue
            except OSError as exc:
                if exc.errno not in (errno.EMFILE, errno.ENFILE) or not (
                    self._reservation and self._reservation.release_descriptor()
                ):
                    raise
                continue
            try:
                _lock(descriptor)
                if target.is_at(descriptor):
                    yield descriptor
                    return
            finally:
                os.close(descriptor)

    @contextlib.contextmanager
    def _explained(self, done: str = "written") -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise self._explanation(exc, done) from None

    def _explanation(self, exc: OSError, done: str = "written") -> UsageError:
        remedy = _REMEDIES.get(exc.errno or 0, "name another file")
        return UsageError(f"credentials_file {self._path} can't be {done} ({exc.strerror or exc}); {remedy}")


def _entry(slot: Slot, instance: Instance) -> dict[str, Any]:
    return {"id": instance.id, "token": instance.token, "api_url": slot.api_url}


def _is_same(there: Mapping[str, Any], slot: Slot, instance: Instance) -> bool:
    """Whether the entry is that instance's, by its ID, which another gateway may have given as well."""
    if str(there.get("id")) != instance.id:
        return False
    url = there.get("api_url") or slot.api_url
    return there.get("token") == instance.token or _same_address(str(url), slot.api_url)


def _same_address(one: str, other: str) -> bool:
    """Whether they are spellings of one address; what is no URL is only itself."""
    try:
        return canonical_address(one) == canonical_address(other)
    except UsageError:
        return one == other


def _dump(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def _entry_size(slot: Slot) -> int:
    return len(_dump({slot.provider: {slot.key: {"api_url": slot.api_url}}})) + _ENTRY


def _read(descriptor: int) -> bytes:
    with open(descriptor, "rb", closefd=False) as file:
        return file.read()


def _make_private(descriptor: int) -> None:
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != _MODE:
        os.fchmod(descriptor, _MODE)


def _lock(descriptor: int) -> None:
    """Lock a file against other runs."""
    give_up_at = time.monotonic() + _LOCK_TIMEOUT
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > give_up_at:
                raise UnfitFile(f"another process has kept it locked for {_LOCK_TIMEOUT:g} s") from None
        time.sleep(_PAUSE)
