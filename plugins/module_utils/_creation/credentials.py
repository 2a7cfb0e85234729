# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file into which a run writes the tokens of new instances.

A gateway may show a token only once. So before a run creates anything, it does everything that writing the token needs,
and reserves what may run out until then: room on the disk, and a file descriptor.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from .._common.atomic_file import AtomicFile
from .._common.errors import UsageError
from .._common.files import UnfitFile, file_kind
from .._common.reservation import Reservation
from .._common.resources import RUN_OUT
from .._vendors.gateway import Instance
from .credentials_content import Content, Slot, dump, find_conflict, find_entries, has_outdated_entry, parse, put

_MODE = 0o600
# Bytes that other runs may add to the file before this run writes its tokens.
_OTHER_RUNS = 16 * 1024
# Seconds that another run, which needs the lock for milliseconds, may hold it.
LOCK_TIMEOUT = 30.0
# Seconds between two tries to lock the file.
_PAUSE = 0.01

_REMEDIES = {
    errno.ENOENT: "create its folder, or name another file",
    errno.ENOTDIR: "create its folder, or name another file",
    errno.ENOSPC: "make room for it, or name a file elsewhere",
    errno.EDQUOT: "make room for it, or name a file elsewhere",
    errno.EFBIG: "raise the limit on the size of files, or name a smaller file",
    errno.EBUSY: "it is a mount point and can't be replaced: mount its folder instead, or name another file",
    errno.ENOLCK: "its file system has no locks: mount it with locks, or name a file elsewhere",
}


class CredentialsFile:
    """A JSON file of mode 0600 into which several runs may write at the same time.

    ``path`` is absolute. ``lock_timeout`` are the seconds that another process may hold the file's lock.
    """

    def __init__(self, path: str, lock_timeout: float = LOCK_TIMEOUT) -> None:
        self.path = path
        self._lock_timeout = lock_timeout
        self._mutex = threading.Lock()
        self._reservation: Reservation | None = None
        self._failure: UsageError | None = None

    def check(self) -> None:
        """Make the file private if it exists.

        :raises UsageError: if it can't be written, or holds anything but credentials.
        """
        with self._explained(), self._target() as target, contextlib.suppress(FileNotFoundError):
            descriptor = target.open(os.O_RDWR)
            try:
                parse(_read(descriptor), self.path)
                _make_private(descriptor)
            finally:
                os.close(descriptor)

    def read(self, *, must_exist: bool = False) -> Content:
        """Return the content, which is empty if there is no file.

        :raises UsageError: if it can't be read, or holds anything but credentials; with ``must_exist``, also if there
            is no file.
        """
        with self._explained("read"), self._target() as target:
            try:
                descriptor = target.open(os.O_RDONLY)
            except FileNotFoundError:
                if must_exist:
                    raise
                return {}
            try:
                return parse(_read(descriptor), self.path)
            finally:
                os.close(descriptor)

    def conflict(self, content: Content, slot: Slot, instance: Instance | None) -> UsageError | None:
        """The error if another instance's entry is in the slot of ``instance`` (``None``: of a new one)."""
        return find_conflict(content, slot, instance, self.path)

    @contextlib.contextmanager
    def reserved(self, wanted: Sequence[tuple[Slot, Instance | None]]) -> Iterator[None]:
        """Prove that these entries can be written, by replacing the file, and reserve room for them in the block.

        ``None`` is an instance that is to be created.

        :raises UsageError: if they can't be written, or another instance's entry is in a slot; then the content is
            unchanged.
        """
        _refuse_equal_keys(slot for slot, _instance in wanted)
        with contextlib.ExitStack() as stack:
            with self._explained():
                target = stack.enter_context(self._target())
                target.sweep()
                with self._locked(target) as descriptor:
                    content = parse(_read(descriptor), self.path)
                    for slot, instance in wanted:
                        if conflict := self.conflict(content, slot, instance):
                            raise conflict
                    size = len(dump(content)) + sum(slot.max_size for slot, _instance in wanted) + _OTHER_RUNS
                    reservation = stack.enter_context(Reservation.hold(target, size, os.fstat(descriptor), _MODE))
                    reservation.write(dump(content), last=False)
                if reservation.failure:
                    raise reservation.failure
            self._reservation, self._failure = reservation, None
            try:
                yield
            finally:
                self._reservation = None

    def failure(self) -> UsageError | None:
        """The error if a token couldn't be written: nothing more must be created then."""
        if self._failure is None and self._reservation and self._reservation.failure:
            return self._explanation(self._reservation.failure)
        return self._failure

    def merge(self, found: Iterable[tuple[Slot, Instance]], *, last: bool = False) -> list[Slot]:
        """Add or update the entries of ``found``, and leave all others as they are.

        ``last`` uses up the reservation. Returns the slots that are new although the instance has an entry from
        before its account got its name; that entry stays, but isn't updated any more.

        :raises UsageError: if the file can't be read or written, or another instance's entry is in a slot; the content
            is unchanged then.
        """
        with self._mutex:
            try:
                with self._explained(), self._target() as target, self._locked(target) as descriptor:
                    return self._merge(target, descriptor, found, last=last)
            except UsageError as error:
                self._failure = error
                raise

    def _merge(
        self, target: AtomicFile, descriptor: int, found: Iterable[tuple[Slot, Instance]], *, last: bool
    ) -> list[Slot]:
        content = parse(_read(descriptor), self.path)
        merged = {provider: dict(names) for provider, names in content.items()}
        outdated = []
        for slot, instance in found:
            if conflict := self.conflict(merged, slot, instance):
                raise conflict
            if has_outdated_entry(content, slot, instance):
                outdated.append(slot)
            put(merged, slot, instance)
        if merged == content:
            _make_private(descriptor)
        elif self._reservation:
            self._reservation.write(dump(merged), last=last)
        else:
            target.replace(dump(merged), os.fstat(descriptor), _MODE)
        return outdated

    def remove(self, provider: str, keys: Collection[str], instance_id: str) -> None:
        """Remove the entries under ``keys`` that are the instance's; other instances' stay.

        :raises UsageError: if the file can't be read or written; the content is unchanged then.
        """
        if not find_entries(self.read(), provider, keys, instance_id):
            return
        with self._explained(), self._target() as target, self._locked(target) as descriptor:
            content = parse(_read(descriptor), self.path)
            for key in find_entries(content, provider, keys, instance_id):
                del content[provider][key]
            target.replace(dump(content), os.fstat(descriptor), _MODE)

    def deliver(self, found: Sequence[tuple[Slot, Instance]]) -> list[Slot]:
        """``merge`` for the last time; if that fails, write the entries into the reserved file beside it.

        :raises UsageError: if the file could not be changed; the message says where the entries are.
        """
        try:
            return self.merge(found, last=True)
        except UsageError as error:
            rescued: Content = {}
            for slot, instance in found:
                put(rescued, slot, instance)
            path = self._reservation.rescue(dump(rescued)) if self._reservation else None
            if path is None:
                raise
            raise UsageError(f"{error.message}. The new tokens are in {path}: keep that file") from None

    @contextlib.contextmanager
    def _target(self) -> Iterator[AtomicFile]:
        if self._reservation:
            yield self._reservation.target
            return
        if kind := file_kind(self.path):
            raise UnfitFile(f"it is {kind}")
        with contextlib.closing(AtomicFile(self.path)) as target:
            yield target

    @contextlib.contextmanager
    def _locked(self, target: AtomicFile) -> Iterator[int]:
        """Lock the file, which is made if it doesn't exist; try again if another run has replaced it meanwhile."""
        give_up_at = time.monotonic() + self._lock_timeout
        while True:
            if target.stat() is None:
                target.create(b"{}\n")
            try:
                descriptor = target.open(os.O_RDWR)
            except FileNotFoundError:
                continue
            except OSError as exc:
                if exc.errno not in (errno.EMFILE, errno.ENFILE) or not self._reservation:
                    raise
                if not self._reservation.release_descriptor():
                    if time.monotonic() > give_up_at:
                        raise
                    time.sleep(_PAUSE)  # another thread has taken it, for a resolver or a file of authorities
                continue
            try:
                _lock(descriptor, self._lock_timeout)
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
        except MemoryError:
            raise self._explanation(OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), done) from None

    def _explanation(self, exc: OSError, done: str = "written") -> UsageError:
        ran_out = RUN_OUT.get(exc.errno or 0)
        remedy = ran_out[1] if ran_out else _REMEDIES.get(exc.errno or 0, "name another file")
        return UsageError(f"credentials_file {self.path} can't be {done} ({exc.strerror or exc}); {remedy}")


def _refuse_equal_keys(slots: Iterable[Slot]) -> None:
    for (provider, key), count in Counter((slot.provider, slot.key) for slot in slots).items():
        if count > 1:
            raise UsageError(f"{count} instances of {provider} would have the entry {key} in credentials_file")


def _read(descriptor: int) -> bytes:
    with open(descriptor, "rb", closefd=False) as file:
        return file.read()


def _make_private(descriptor: int) -> None:
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != _MODE:
        os.fchmod(descriptor, _MODE)


def _lock(descriptor: int, timeout: float) -> None:
    """Lock a file against other runs.

    :raises UnfitFile: if another process holds the lock for ``timeout`` seconds.
    """
    give_up_at = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > give_up_at:
                raise UnfitFile(f"another process has kept it locked for {timeout:g} s") from None
        time.sleep(_PAUSE)
