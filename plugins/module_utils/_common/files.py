# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are replaced as a whole: a reader sees the old one or the new one, and the owner stays the same."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}
_MOST_LINKS = 40
# Seconds after which a temporary file of a process that is dead is removed.
_AGE = 60.0
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY

# What a file system answers that doesn't know a call.
UNSUPPORTED = frozenset([errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EMLINK])


class UnfitFile(OSError):
    """A path that leads where nothing must be written; ``strerror`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EPERM, reason)


class _OpenFile(UnfitFile):
    """A link such as ``/dev/stdout``, which names what a process has opened."""


@dataclass(frozen=True)
class Temporary:
    """A new file beside one that it shall replace."""

    descriptor: int
    name: str


class Place:
    """Where a file is or will be: its ``folder``, which is held open, and its ``name`` in there."""

    def __init__(self, path: str) -> None:
        """:raises OSError: if there is no such folder; ``UnfitFile`` if the path leads by somebody else's link."""
        real = _follow(path)
        self.folder, self.name = os.path.split(real)
        if not self.name or path.endswith("/"):
            raise UnfitFile("it is a folder")
        self._folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self._refuse_unfit()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        os.close(self._folder)

    def stat(self) -> os.stat_result | None:
        """The file's own state; ``None`` if it isn't there."""
        with contextlib.suppress(FileNotFoundError):
            return os.stat(self.name, dir_fd=self._folder, follow_symlinks=False)
        return None

    def open(self, flags: int) -> int:
        """A descriptor of the file, which never waits for anybody.

        :raises OSError: if it isn't there or may not be opened; ``UnfitFile`` if it is no regular file.
        """
        return open_regular(self.name, flags, folder=self._folder)

    def is_at(self, descriptor: int) -> bool:
        """Whether the open file is the one that is in place now."""
        there = self.stat()
        return there is not None and os.path.samestat(os.fstat(descriptor), there)

    def create(self, content: bytes) -> None:
        """Make the file of mode 0600, unless it is there by now."""
        with self.temporary() as new, contextlib.suppress(FileExistsError):
            fill(new.descriptor, content)
            try:
                # By a link, because whoever reads the file must never find it empty.
                os.link(new.name, self.name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            except OSError as exc:
                if exc.errno not in UNSUPPORTED:
                    raise
                descriptor = os.open(self.name, os.O_RDWR | os.O_CREAT | os.O_EXCL | _OPEN, 0o600, dir_fd=self._folder)
                try:
                    fill(descriptor, content)
                finally:
                    os.close(descriptor)

    @contextlib.contextmanager
    def temporary(self) -> Iterator[Temporary]:
        """A new file of mode 0600, which is gone afterwards unless it was moved into place."""
        new = self.make()
        try:
            yield new
        finally:
            self.drop(new)

    def make(self, like: os.stat_result | None = None, mode: int = 0o600, size: int = 0) -> Temporary:
        """A new file with the owner and group of ``like``, and room for ``size`` bytes."""
        name = f"{self._prefix}{secrets.token_hex(4)}"
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | _OPEN, 0o600, dir_fd=self._folder)
        new = Temporary(descriptor, name)
        try:
            with contextlib.suppress(OSError):  # what has no locks is never swept
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = os.fstat(descriptor)
            if like and (like.st_uid, like.st_gid) != (mine.st_uid, mine.st_gid):
                _give(descriptor, like)
            os.fchmod(descriptor, mode)
            if size:
                _allocate(descriptor, size)
        except BaseException:
            self.drop(new)
            raise
        return new

    def drop(self, new: Temporary) -> None:
        """Remove a file that didn't come into place."""
        os.close(new.descriptor)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new.name, dir_fd=self._folder)

    def put(self, new: Temporary, content: bytes) -> None:
        """Replace the file by ``new`` with ``content``.

        :raises OSError: if it can't be; then ``new`` is still there, and still open.
        """
        fill(new.descriptor, content)
        os.replace(new.name, self.name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        os.close(new.descriptor)

    def sync(self) -> None:
        """Make durable which file is in place, where the file system can."""
        try:
            os.fsync(self._folder)
        except OSError as exc:
            if exc.errno not in UNSUPPORTED:
                raise

    def replace(self, content: bytes, like: os.stat_result | None, mode: int) -> None:
        """Replace the file by a new one, durably."""
        new = self.make(like, mode)
        try:
            self.put(new, content)
        except BaseException:
            self.drop(new)
            raise
        self.sync()

    def spare_descriptor(self) -> int:
        """A descriptor that is of use by being closed."""
        return os.dup(self._folder)

    def sweep(self) -> None:
        """Remove the files without content that processes have left which were killed."""
        for name in os.listdir(self._folder):
            if name.startswith(self._prefix):
                with contextlib.suppress(OSError):
                    self._sweep(name)

    def _sweep(self, name: str) -> None:
        descriptor = os.open(name, os.O_RDWR | _OPEN, dir_fd=self._folder)
        try:
            # A process that is alive locks its own at once.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_old = abs(time.time() - os.fstat(descriptor).st_mtime) > _AGE
            if is_old and os.pread(descriptor, 1, 0) in (b"", b"\0"):
                os.unlink(name, dir_fd=self._folder)
        finally:
            os.close(descriptor)

    @property
    def _prefix(self) -> str:
        return f".{self.name[:60]}."

    def _refuse_unfit(self) -> None:
        there, folder = self.stat(), os.fstat(self._folder)
        if there is None:
            return
        if not stat.S_ISREG(there.st_mode):
            raise UnfitFile(f"it is {_KINDS.get(stat.S_IFMT(there.st_mode), 'no regular file')}")
        # As Linux has it by fs.protected_regular: whoever may write to the folder may have planted it.
        if folder.st_mode & stat.S_IWOTH and there.st_uid not in (os.geteuid(), folder.st_uid):
            raise UnfitFile(f"it belongs to user ID {there.st_uid}, in a folder that everybody may write to")


def open_regular(path: str, flags: int, *, folder: int | None = None) -> int:
    """A descriptor of a file, of mode 0600 if it is made, which neither follows a link nor waits for anybody.

    :raises OSError: if it may not be opened; ``UnfitFile`` if it is no regular file.
    """
    descriptor = os.open(path, flags | _OPEN, 0o600, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnfitFile("it is no regular file")
    return descriptor


def file_kind(path: str) -> str:
    """What is at the end of ``path``, if that is there and no file that could be replaced; else an empty string."""
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            return _KINDS.get(stat.S_IFMT(mode), "no regular file")
        _follow(path)
    except _OpenFile as exc:
        return str(exc.strerror)
    except OSError:
        pass
    return ""


def fill(descriptor: int, content: bytes) -> None:
    """Make ``content`` all that is in a file, durably."""
    _write(descriptor, content)
    os.ftruncate(descriptor, len(content))
    os.fsync(descriptor)


def _write(descriptor: int, content: bytes) -> None:
    written = 0
    while written < len(content):
        written += os.pwrite(descriptor, content[written:], written)


def _allocate(descriptor: int, size: int) -> None:
    """Have the file system keep room; where it can't by a call, by writing."""
    try:
        os.posix_fallocate(descriptor, 0, size)
    except (AttributeError, OSError) as exc:
        if isinstance(exc, OSError) and exc.errno not in UNSUPPORTED:
            raise
        _write(descriptor, bytes(size))
    os.fsync(descriptor)  # a file system in a network tells only now that there is no room


def _give(descriptor: int, like: os.stat_result) -> None:
    try:
        os.fchown(descriptor, like.st_uid, like.st_gid)
    except OSError:
        raise UnfitFile(
            f"it belongs to user ID {like.st_uid} and group ID {like.st_gid}, and user ID {os.geteuid()} can't make a "
            "file that does"
        ) from None


def _follow(path: str) -> str:
    """The path without links and ``..``, as the system finds it.

    :raises UnfitFile: if it leads by a link that somebody else may have made.
    """
    parts, real, links = path.split("/")[::-1], "/", 0
    while parts:
        part = parts.pop()
        if part == "..":
            real = os.path.dirname(real)
        if part in ("", ".", ".."):
            continue
        step = os.path.join(real, part)
        try:
            info = os.lstat(step)
        except FileNotFoundError:
            return os.path.join(step, *parts[::-1]) if parts else step
        if not stat.S_ISLNK(info.st_mode):
            real = step
            continue
        if step.startswith("/proc/"):
            raise _OpenFile("an open file of a process")
        _refuse_planted(step, info, os.stat(real))
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = os.readlink(step)
        parts.extend(target.split("/")[::-1])
        real = "/" if target.startswith("/") else real
    return real


def _refuse_planted(link: str, info: os.stat_result, folder: os.stat_result) -> None:
    trusted = (os.geteuid(), 0)
    if info.st_uid not in trusted:
        raise UnfitFile(f"it leads by the link {link}, which belongs to user ID {info.st_uid}")
    # Of a group that is one's own, others may be members, but mostly it is that of a single user.
    by_group = folder.st_mode & stat.S_IWGRP and folder.st_gid not in (os.getegid(), 0)
    if folder.st_uid not in trusted or folder.st_mode & stat.S_IWOTH or by_group:
        raise UnfitFile(f"it leads by the link {link}, in a folder that others may write to")
