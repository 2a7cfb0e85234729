# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are replaced atomically: a reader sees the old content or the new one, and the owner stays the same."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import time
from dataclasses import dataclass

from .files import OPEN_FLAGS, UnfitFile, open_regular, refuse_unfit, resolve

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | OPEN_FLAGS
# Seconds after which ``sweep`` removes the temporary file of a process that was killed.
_SWEEP_AGE = 60.0
# The errors of a file system that doesn't support a call.
_UNSUPPORTED = frozenset([errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EMLINK])


@dataclass(frozen=True)
class TemporaryFile:
    """A new, open file beside the one that it is to replace; the process holds a lock on it."""

    descriptor: int
    name: str


class AtomicFile:
    """The file at an absolute path, which need not exist yet. Its ``folder`` is held open; ``name`` is its name there.

    :raises OSError: if there is no such folder; ``UnfitFile`` if the path leads by a link that another user may have
        made, or to anything but a regular file.
    """

    def __init__(self, path: str) -> None:
        real = resolve(path)
        self.folder, self.name = os.path.split(real)
        if not self.name or path.endswith("/"):
            raise UnfitFile("it is a folder")
        self._folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if before := self.stat():
                refuse_unfit(before, os.fstat(self._folder))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the folder."""
        os.close(self._folder)

    def stat(self) -> os.stat_result | None:
        """Return the file's status, ``None`` if there is no file."""
        with contextlib.suppress(FileNotFoundError):
            return os.stat(self.name, dir_fd=self._folder, follow_symlinks=False)
        return None

    def open(self, flags: int) -> int:
        """Open the file without blocking and return its descriptor.

        :raises OSError: if it can't be opened; ``UnfitFile`` if it isn't a regular file.
        """
        return open_regular(self.name, flags, folder=self._folder)

    def is_at(self, descriptor: int) -> bool:
        """Whether the open file is still the one at the path, and hasn't been replaced."""
        current = self.stat()
        return current is not None and os.path.samestat(os.fstat(descriptor), current)

    def create(self, content: bytes) -> None:
        """Create the file with mode 0600, unless it exists."""
        new = self.make_temporary()
        try:
            write_durably(new.descriptor, content)
            with contextlib.suppress(FileExistsError):
                self._link(new, content)
        finally:
            self.discard(new)

    def _link(self, new: TemporaryFile, content: bytes) -> None:
        """Give ``new`` the file's name by a hard link, so that no reader finds the file empty."""
        try:
            os.link(new.name, self.name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except OSError as exc:
            if exc.errno not in _UNSUPPORTED:
                raise
            descriptor = os.open(self.name, _CREATE, 0o600, dir_fd=self._folder)
            try:
                write_durably(descriptor, content)
            finally:
                os.close(descriptor)

    def make_temporary(self, like: os.stat_result | None = None, mode: int = 0o600, reserve: int = 0) -> TemporaryFile:
        """Create a temporary file with the owner and group of ``like`` and ``reserve`` bytes of allocated space."""
        name = f"{self._prefix}{secrets.token_hex(4)}"
        descriptor = os.open(name, _CREATE, 0o600, dir_fd=self._folder)
        new = TemporaryFile(descriptor, name)
        try:
            # ``sweep`` of another process leaves locked files alone, and all files where there are no locks.
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            own = os.fstat(descriptor)
            if like and (like.st_uid, like.st_gid) != (own.st_uid, own.st_gid):
                _change_owner(descriptor, like)
            os.fchmod(descriptor, mode)
            if reserve:
                _allocate(descriptor, reserve)
        except BaseException:
            self.discard(new)
            raise
        return new

    def discard(self, new: TemporaryFile) -> None:
        """Close and remove a temporary file."""
        os.close(new.descriptor)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new.name, dir_fd=self._folder)

    def replace_by(self, new: TemporaryFile, content: bytes) -> None:
        """Write ``content`` to ``new``, move it to the file's path, and close it.

        :raises OSError: if one of these fails; ``new`` then still exists, and is open.
        """
        write_durably(new.descriptor, content)
        os.replace(new.name, self.name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        os.close(new.descriptor)

    def sync(self) -> None:
        """Make a replacement durable, if the file system supports it."""
        try:
            os.fsync(self._folder)
        except OSError as exc:
            if exc.errno not in _UNSUPPORTED:
                raise

    def replace(self, content: bytes, like: os.stat_result | None, mode: int) -> None:
        """Replace the file durably by a new one with this content and mode, and the owner and group of ``like``.

        :raises OSError: if that fails; the file is then as it was.
        """
        new = self.make_temporary(like, mode)
        try:
            self.replace_by(new, content)
        except BaseException:
            self.discard(new)
            raise
        self.sync()

    def duplicate_descriptor(self) -> int:
        """Return another descriptor of the folder. Closing it later gives the process one to open a file with."""
        return os.dup(self._folder)

    def sweep(self) -> None:
        """Remove the temporary files without content that killed processes have left."""
        for name in os.listdir(self._folder):
            if name.startswith(self._prefix):
                with contextlib.suppress(OSError):
                    self._sweep(name)

    def _sweep(self, name: str) -> None:
        descriptor = os.open(name, os.O_RDWR | OPEN_FLAGS, dir_fd=self._folder)
        try:
            # This fails for the file of a process that is alive: it locks its file right after creating it.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_old = abs(time.time() - os.fstat(descriptor).st_mtime) > _SWEEP_AGE
            if is_old and os.pread(descriptor, 1, 0) in (b"", b"\0"):
                os.unlink(name, dir_fd=self._folder)
        finally:
            os.close(descriptor)

    @property
    def _prefix(self) -> str:
        return f".{self.name[:60]}."


def write_durably(descriptor: int, content: bytes) -> None:
    """Make ``content`` the whole content of an open file, and flush it to the disk."""
    _write(descriptor, content)
    os.ftruncate(descriptor, len(content))
    os.fsync(descriptor)


def _write(descriptor: int, content: bytes) -> None:
    written = 0
    while written < len(content):
        written += os.pwrite(descriptor, content[written:], written)


def _allocate(descriptor: int, size: int) -> None:
    """Allocate space on the disk; where the file system has no call for that, write zeros."""
    try:
        os.posix_fallocate(descriptor, 0, size)
    except (AttributeError, OSError) as exc:
        if isinstance(exc, OSError) and exc.errno not in _UNSUPPORTED:
            raise
        _write(descriptor, bytes(size))
    os.fsync(descriptor)  # a network file system reports only now that its disk is full


def _change_owner(descriptor: int, like: os.stat_result) -> None:
    try:
        os.fchown(descriptor, like.st_uid, like.st_gid)
    except OSError:
        raise UnfitFile(
            f"it belongs to user ID {like.st_uid} and group ID {like.st_gid}, and user ID {os.geteuid()} can't make a "
            "file that does"
        ) from None
