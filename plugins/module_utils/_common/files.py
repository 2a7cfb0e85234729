# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths that a privileged task may write to: regular files, not reached by another user's symbolic link."""

from __future__ import annotations

import errno
import os
import stat

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}
_MAX_LINKS = 40  # as Linux has it
OPEN_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


class UnfitFile(OSError):
    """A path that must not be written to; ``strerror`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EPERM, reason)


class _OpenFile(UnfitFile):
    """A link such as ``/dev/stdout``, which leads to a file that a process has open."""


def open_regular(path: str, flags: int, *, folder: int | None = None) -> int:
    """Open a regular file without following a link or blocking, and return its descriptor.

    A file that ``flags`` let it create gets mode 0600. ``folder`` is the descriptor of the folder that ``path`` is in.

    :raises OSError: if the file can't be opened; ``UnfitFile`` if it isn't a regular file.
    """
    descriptor = os.open(path, flags | OPEN_FLAGS, 0o600, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnfitFile("it is no regular file")
    return descriptor


def make_folder(path: str, mode: int) -> None:
    """Make a folder and those that it is in, unless they exist, each with ``mode`` at most, whatever the umask allows.

    :raises OSError: if one can't be made.
    """
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent and not os.path.exists(parent):
        make_folder(parent, mode)
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        if not os.path.isdir(path):
            raise


def file_kind(path: str) -> str:
    """Return what ``path`` leads to if that exists and can't be replaced by a file, else an empty string."""
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            return _kind(mode)
        resolve(path)
    except _OpenFile as exc:
        return str(exc.strerror)
    except OSError:
        pass
    return ""


def resolve(path: str) -> str:
    """Return an absolute path without links and ``..``, resolved as the operating system does it.

    :raises OSError: if the path can't be followed; ``UnfitFile`` if it contains a link that another user may have made.
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
        _refuse_planted_link(step, info, os.stat(real))
        links += 1
        if links > _MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = os.readlink(step)
        parts.extend(target.split("/")[::-1])
        real = "/" if target.startswith("/") else real
    return real


def refuse_unfit(file: os.stat_result, folder: os.stat_result) -> None:
    """:raises UnfitFile: if ``file`` isn't a regular file, or if another user may have planted it in ``folder``."""
    if not stat.S_ISREG(file.st_mode):
        raise UnfitFile(f"it is {_kind(file.st_mode)}")
    # The rule of Linux's fs.protected_regular: in a world-writable folder, any user can make a file of this name.
    if folder.st_mode & stat.S_IWOTH and file.st_uid not in (os.geteuid(), folder.st_uid):
        raise UnfitFile(f"it belongs to user ID {file.st_uid}, in a folder that everybody may write to")


def _refuse_planted_link(link: str, info: os.stat_result, folder: os.stat_result) -> None:
    trusted = (os.geteuid(), 0)
    if info.st_uid not in trusted:
        raise UnfitFile(f"it leads by the link {link}, which belongs to user ID {info.st_uid}")
    # The user's own group is trusted: on most systems it has no other members.
    by_group = folder.st_mode & stat.S_IWGRP and folder.st_gid not in (os.getegid(), 0)
    if folder.st_uid not in trusted or folder.st_mode & stat.S_IWOTH or by_group:
        raise UnfitFile(f"it leads by the link {link}, in a folder that others may write to")


def _kind(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "no regular file")
