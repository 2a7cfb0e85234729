# Copyright: (c) 2026, msgops.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the credentials file's place may be like: nothing is created where a token could not be written."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._common.resources import RUN_OUT
from ansible_collections.msgops.fleet.plugins.module_utils._creation import credentials
from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials import CredentialsFile
from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials_content import (
    Slot,
    credentials_key,
)
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Instance
from ansible_collections.msgops.fleet.tests.storm.runs import Child, Run
from ansible_collections.msgops.fleet.tests.support.creation import (
    NOBODY,
    Fleet,
    Unprivileged,
    actions,
)

from msgops_emulator import Emulator

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
URL = "https://example.com"


def _can_mount() -> bool:
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


needs_mounts = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare") or not _can_mount(), reason="only root may mount, and not here"
)


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mount a file system that is gone after the test."""
    mounted: list[Path] = []

    def do(*options: str, source: str = "none", point: Path | None = None) -> Path:
        point = point or tmp_path / f"mount-{len(mounted)}"
        if not point.exists():
            point.mkdir()
        done = subprocess.run(["mount", *options, source, str(point)], capture_output=True, check=False, text=True)
        if done.returncode:
            pytest.skip(f"mounting isn't possible here: {done.stderr.strip()}")
        mounted.append(point)
        return point

    yield do
    for point in reversed(mounted):
        subprocess.run(["umount", str(point)], check=True)


def slot(name: str, *gone: str, url: str = URL) -> Slot:
    return Slot("green_api", name, url, frozenset(gone))


def instance(name: str, id: str = "1", token: str = "token") -> Instance:
    return Instance(id=id, name=name, token=token)


def entries(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_bytes()).get("green_api", {}))


def fill_up(folder: Path) -> None:
    """Leave no room on the file system."""
    with (folder / "ballast").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(512))


# A disk without room


@needs_mounts
@pytest.mark.parametrize("before", [None, "{}"])
def test_a_full_disk_creates_nothing(fleet: Fleet, mount: Callable[..., Path], before: str | None) -> None:
    folder = mount("-t", "tmpfs", "-o", "size=400k")
    fleet.credentials_file = folder / "credentials.json"
    if before is not None:
        fleet.credentials_file.write_text(before)
    fill_up(folder)
    result = fleet.create("shop")
    assert result["failed"]
    assert "No space left on device" in result["msg"]
    assert "make room" in result["msg"]
    assert fleet.posts() == []
    (folder / "ballast").unlink()
    assert actions(fleet.create("shop")) == {"shop": "created"}
    fleet.assert_delivered("shop")
    assert os.listdir(folder) == ["credentials.json"]


@needs_mounts
def test_a_disk_without_files_to_be_had_creates_nothing(green: Fleet, mount: Callable[..., Path]) -> None:
    folder = mount("-t", "tmpfs", "-o", "size=4m,nr_inodes=3")
    green.credentials_file = folder / "credentials.json"
    green.credentials_file.write_text("{}")
    (folder / "another").touch()
    assert green.create("shop")["failed"]
    assert green.posts() == []


@needs_mounts
def test_a_disk_that_fills_up_meanwhile_loses_no_token(tmp_path: Path, mount: Callable[..., Path]) -> None:
    folder = mount("-t", "tmpfs", "-o", "size=600k")
    path = folder / "credentials.json"
    file = CredentialsFile(str(path))
    names = [f"shop-{number}" for number in range(100)]
    with file.reserved([(slot(name), None) for name in names]):
        fill_up(folder)
        for name in names[:4]:
            with contextlib.suppress(UsageError):
                file.merge([(slot(name), instance(name))])
            fill_up(folder)
        assert (failure := file.failure()), "nothing more must be created"
        assert "No space left" in failure.message
        # What was under way comes back all the same.
        file.deliver([(slot(name), instance(name, token="t" * 50)) for name in names])
    assert set(entries(path)) == set(names)
    assert sorted(os.listdir(folder)) == ["ballast", "credentials.json"]


@needs_mounts
def test_a_disk_that_fills_up_during_a_task_stops_it(fleet: Fleet, mount: Callable[..., Path]) -> None:
    folder = mount("-t", "tmpfs", "-o", "size=800k")
    fleet.credentials_file = folder / "credentials.json"
    names = [f"shop-{number:02}" for number in range(12)]
    run = fleet.start_hanging(*names, fault={"match": '"shop-00"'}, concurrency=1)
    fill_up(folder)
    fleet.emulator.release()
    result = run.result()
    created = [name for name, action in actions(result).items() if action == "created"]
    assert fleet.posts() == created
    assert len(created) < len(names)
    fleet.assert_delivered(*created)
    (folder / "ballast").unlink()
    assert set(actions(fleet.create(*names)).values()) == {"created", "unchanged"}
    assert sorted(fleet.posts()) == names


def limited_to(size: int, run: Callable[[], Any]) -> Any:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return run()


@dataclass(frozen=True)
class Reserve:
    """Reserve room with a limit on the size of files."""

    path: str

    def __call__(self) -> str:
        def reserve() -> str:
            try:
                with CredentialsFile(self.path).reserved([(slot("shop"), None)]):
                    return "reserved"
            except UsageError as error:
                return error.message

        return str(limited_to(10_000, reserve))


def test_a_limit_on_the_size_of_files_is_met_before_anything_is_created(tmp_path: Path) -> None:
    assert "File too large" in Child(Reserve(str(tmp_path / "credentials.json"))).result()


# Descriptors


@dataclass(frozen=True)
class MergeWithoutDescriptors:
    """Merge when the process can't open any file more."""

    path: str

    def __call__(self) -> int:
        file = CredentialsFile(self.path)
        with file.reserved([(slot("shop"), None)]):
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
            taken = []
            with contextlib.suppress(OSError):
                while True:
                    taken.append(os.dup(0))
            file.merge([(slot("shop"), instance("shop"))])
            return len(taken)


def test_a_process_without_descriptors_still_writes_the_token(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    assert Child(MergeWithoutDescriptors(str(path))).result()
    assert entries(path)["shop"]["token"] == "token"


# What else fails after a creation


@pytest.mark.parametrize("broken", [b"{", b'{"green_api": {"shop": {"id": "2", "token": "other"}}}'])
def test_what_can_not_be_merged_any_more_is_left_beside_the_file(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "credentials.json"
    file = CredentialsFile(str(path))
    with file.reserved([(slot("shop"), None)]):
        path.write_bytes(broken)
        with pytest.raises(UsageError, match="The new tokens are in") as failed:
            file.deliver([(slot("shop"), instance("shop"))])
    assert path.read_bytes() == broken
    (beside,) = {*os.listdir(tmp_path)} - {"credentials.json"}
    assert str(tmp_path / beside) in failed.value.message
    assert entries(tmp_path / beside) == {"shop": {"id": "1", "token": "token", "api_url": URL}}
    assert stat.S_IMODE((tmp_path / beside).stat().st_mode) == 0o600
    with CredentialsFile(str(tmp_path / "credentials.json.other")).reserved([]):
        assert (tmp_path / beside).exists()


def test_a_gateway_without_a_listing_loses_no_token_by_a_file_that_breaks(plugz: Fleet) -> None:
    plugz.emulator.config({"plugzapi.listing": "http404"})
    run = plugz.start_hanging("shop")
    plugz.credentials_file.write_text("{")
    plugz.emulator.release()
    result = run.result()
    assert "The new tokens are in" in result["msg"]
    (beside,) = [path for path in plugz.folder.iterdir() if path.name.startswith(".credentials.json.")]
    assert str(beside) in result["msg"]
    (there,) = plugz.existing("shop")
    assert there["token"] in beside.read_text()
    assert there["token"] not in json.dumps(result["msg"])


def test_one_that_another_process_keeps_locked_creates_nothing(green: Fleet) -> None:
    green.credentials_file.write_text("{}")
    with green.credentials_file.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        result = green.create("shop", lock_timeout=0.1)
    assert "another process has kept it locked" in result["msg"]
    assert green.posts() == []


# File systems that can't do all

DENY = """
import ctypes, errno, os, struct, sys
code, calls = getattr(errno, sys.argv[1]), [int(number) for number in sys.argv[2].split(",")]
step = lambda *values: struct.pack("HBBI", *values)
program = [step(0x20, 0, 0, 0)] + [step(0x15, len(calls) - at, 0, call) for at, call in enumerate(calls)]
program += [step(0x06, 0, 0, 0x7FFF0000), step(0x06, 0, 0, 0x00050000 | code)]
text = ctypes.create_string_buffer(b"".join(program))
class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
filter = Program(len(program), ctypes.cast(text, ctypes.c_void_p))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(filter), 0, 0) == 0
os.execvp(sys.argv[3], sys.argv[3:])
"""
# Numbers of system calls on x86-64.
CALLS = {
    "link": "86,265",
    "lock": "73",
    "rename": "82,264,316",
    "fallocate": "285",
    "owner": "93,260,92",
    "mode": "91,268",
}
RESERVE_AND_MERGE = """
import sys
from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials import CredentialsFile
from ansible_collections.msgops.fleet.plugins.module_utils._creation.credentials_content import Slot
from ansible_collections.msgops.fleet.plugins.module_utils._common.errors import UsageError
from ansible_collections.msgops.fleet.plugins.module_utils._vendors.gateway import Instance
file, slot = CredentialsFile(sys.argv[1]), Slot("green_api", "shop", "https://example.com")
try:
    with file.reserved([(slot, None)]):
        print("posted")
        file.merge([(slot, Instance("1", "shop", "token"))])
except UsageError as error:
    print(error.message)
"""
needs_seccomp = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64", reason="the numbers of system calls are Linux x86-64's"
)


def denied(call: str, error: str, path: Path) -> str:
    """What becomes of a creation where the system refuses a call."""
    tree = str(Path(credentials.__file__).parents[6])
    done = subprocess.run(
        [sys.executable, "-c", DENY, error, CALLS[call], sys.executable, "-c", RESERVE_AND_MERGE, str(path)],
        env=os.environ | {"PYTHONPATH": tree},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@needs_seccomp
@pytest.mark.parametrize("error", ["EPERM", "EOPNOTSUPP", "ENOSYS"])
@pytest.mark.parametrize("call", ["link", "fallocate"])
def test_without_hard_links_or_allocation_it_works_all_the_same(tmp_path: Path, call: str, error: str) -> None:
    path = tmp_path / "credentials.json"
    assert denied(call, error, path) == "posted"
    assert entries(path)["shop"]["token"] == "token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["credentials.json"]


@needs_seccomp
@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        ("lock", "ENOLCK", "mount it with locks"),
        ("lock", "EOPNOTSUPP", "not supported"),
        ("rename", "EBUSY", "mount its folder instead"),
        ("rename", "EXDEV", "cross-device"),
        ("mode", "EPERM", "not permitted"),
    ],
)
def test_without_locks_or_renames_nothing_is_created(tmp_path: Path, call: str, error: str, says: str) -> None:
    path = tmp_path / "credentials.json"
    path.write_text("{}")
    path.chmod(0o600)
    said = denied(call, error, path)
    assert says.lower() in said.lower()
    assert "posted" not in said
    assert os.listdir(tmp_path) == ["credentials.json"]
    assert path.read_text() == "{}"


@needs_mounts
def test_a_mount_point_creates_nothing_and_stays_as_it_is(
    green: Fleet, tmp_path: Path, mount: Callable[..., Path]
) -> None:
    on_the_host = tmp_path / "on-the-host.json"
    on_the_host.write_text("{}")
    green.credentials_file.touch()
    mount("--bind", source=str(on_the_host), point=green.credentials_file)
    result = green.create("shop")
    assert "mount its folder instead" in result["msg"]
    assert green.posts() == []
    assert on_the_host.read_text() == "{}"
    assert not list(green.folder.glob(".*"))


@needs_mounts
def test_a_read_only_file_system_creates_nothing(green: Fleet, mount: Callable[..., Path]) -> None:
    folder = mount("-t", "tmpfs", "-o", "size=400k")
    (folder / "credentials.json").write_text("{}")
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    result = green.create("shop", credentials_file=str(folder / "credentials.json"))
    assert "Read-only file system" in result["msg"]
    assert green.posts() == []


# Whose file it is


@needs_root
def test_root_leaves_the_file_to_its_owner(green: Fleet) -> None:
    green.credentials_file.write_text("{}")
    os.chown(green.credentials_file, NOBODY, NOBODY)
    green.credentials_file.chmod(0o640)
    green.create("shop")
    state = green.credentials_file.stat()
    assert (state.st_uid, state.st_gid, stat.S_IMODE(state.st_mode)) == (NOBODY, NOBODY, 0o600)
    green.assert_delivered("shop")


@needs_root
def test_who_can_not_leave_it_to_its_owner_creates_nothing(emulator: Emulator, shared_folder: Path) -> None:
    green = Fleet(emulator, "green_api", shared_folder / "mine")
    green.folder.mkdir()
    green.credentials_file.write_text("{}")
    green.credentials_file.chmod(0o666)
    os.chown(green.folder, NOBODY, NOBODY)
    result = Child(Unprivileged(green.task("shop"))).result()
    assert result["failed"]
    assert "user ID 0" in result["msg"] or "not permitted" in result["msg"]
    assert green.posts() == []
    assert green.credentials_file.stat().st_uid == 0


@pytest.mark.parametrize("tokens", ["new", "none"])
def test_the_mode_becomes_0600_whether_or_not_the_content_changes(green: Fleet, tokens: str) -> None:
    green.create("shop")
    green.credentials_file.chmod(0o644)
    content = green.credentials_file.read_bytes()
    green.create(*(["shop", "sales"] if tokens == "new" else ["shop"]))
    assert stat.S_IMODE(green.credentials_file.stat().st_mode) == 0o600
    assert (green.credentials_file.read_bytes() == content) == (tokens == "none")


def test_check_mode_leaves_the_mode(green: Fleet) -> None:
    green.create("shop")
    green.credentials_file.chmod(0o644)
    green.create("shop", "sales", check_mode=True)
    assert stat.S_IMODE(green.credentials_file.stat().st_mode) == 0o644


# What it is


def make_circle(path: Path) -> None:
    path.symlink_to(path)


def make_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (os.mkfifo, "a named pipe"),
        (make_socket, "a socket"),
        (Path.mkdir, "a folder"),
        (lambda path: path.symlink_to("/dev/zero"), "a device"),
        (make_circle, "Too many levels"),
    ],
)
def test_what_is_no_file_is_refused_at_once(fleet: Fleet, make: Callable[[Path], Any], says: str) -> None:
    make(fleet.credentials_file)
    before = fleet.credentials_file.lstat().st_ctime_ns
    for check_mode in (False, True):
        result = fleet.create("shop", check_mode=check_mode)
        assert result["failed"]
        assert says in result["msg"]
    assert fleet.posts() == []
    assert fleet.credentials_file.lstat().st_ctime_ns == before


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/null", "/dev/fd/1", "/proc/self/mem"])
def test_the_systems_own_files_are_refused(green: Fleet, path: str) -> None:
    assert "credentials_file" in green.create("shop", credentials_file=path)["msg"]
    assert green.posts() == []


# Links


def test_a_link_of_ones_own_leads_to_its_target_by_the_folders_that_there_are(green: Fleet) -> None:
    deep = green.folder / "a" / "b"
    deep.mkdir(parents=True)
    (green.folder / "link").symlink_to(deep)
    green.create("shop", credentials_file=f"{green.folder}/link/../credentials.json")
    green.credentials_file = green.folder / "a" / "credentials.json"
    green.assert_delivered("shop")
    assert not (green.folder / "credentials.json").exists()


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_link_in_a_folder_that_others_may_write_to_is_refused(green: Fleet, shared_folder: Path, what: str) -> None:
    target = green.folder / "target"
    target.mkdir()
    (target / "credentials.json").write_text("{}")
    link = shared_folder / "link"
    link.symlink_to(target / "credentials.json" if what == "file" else target)
    result = green.create("shop", credentials_file=str(link if what == "file" else link / "credentials.json"))
    assert f"by the link {link}, in a folder that others may write to" in result["msg"]
    assert green.posts() == []
    assert (target / "credentials.json").read_text() == "{}"


@needs_root
def test_a_link_of_somebody_else_is_refused(green: Fleet) -> None:
    link = green.folder / "link.json"
    link.symlink_to(green.credentials_file)
    os.lchown(link, NOBODY, NOBODY)
    result = green.create("shop", credentials_file=str(link))
    assert f"which belongs to user ID {NOBODY}" in result["msg"]
    assert green.posts() == []


@needs_root
def test_a_file_that_somebody_else_may_have_planted_is_refused(green: Fleet, shared_folder: Path) -> None:
    planted = shared_folder / "credentials.json"
    planted.write_text("{}")
    os.chown(planted, NOBODY, NOBODY)
    result = green.create("shop", credentials_file=str(planted))
    assert "in a folder that everybody may write to" in result["msg"]
    assert green.posts() == []


# A home folder


@dataclass(frozen=True)
class Homeless:
    """A run by a user without a home folder, as containers have them."""

    run: Run
    folder: Path

    def __call__(self) -> dict[str, Any]:
        os.environ.pop("HOME", None)
        os.chdir(self.folder)
        os.setgroups([])
        os.setgid(4242)
        os.setuid(4242)
        return dict(self.run())


@needs_root
@pytest.mark.parametrize("option", ["journal", "credentials_file"])
def test_without_a_home_folder_nothing_is_created_in_one_called_tilde(
    emulator: Emulator, shared_folder: Path, option: str
) -> None:
    green = Fleet(emulator, "green_api", shared_folder)
    given = {"journal": None} if option == "journal" else {"credentials_file": "~/credentials.json"}
    result = Child(Homeless(green.task("shop", **given), shared_folder)).result()
    assert f"{option} ~/" in result["msg"]
    assert "user ID 4242 has no entry in passwd" in result["msg"]
    assert "give an absolute path" in result["msg"]
    assert green.posts() == []
    assert os.listdir(shared_folder) == []


# Whose entry it is


def test_the_key_is_the_name_or_the_account_and_the_name() -> None:
    assert credentials_key("shop") == "shop"
    assert credentials_key("shop", "berlin") == "berlin/shop"


def test_an_entry_of_another_instance_creates_nothing_and_stays(fleet: Fleet) -> None:
    entry = {"id": "7", "token": "of another account", "api_url": fleet.emulator.url}
    content = json.dumps({fleet.provider: {"shop": entry}})
    fleet.credentials_file.write_text(content)
    for check_mode in (True, False):
        result = fleet.create("shop", "sales", check_mode=check_mode)
        assert actions(result)["shop"] == "failed"
        assert "never overwritten" in result["msg"]
        assert "account" in result["msg"]
        assert "of another account" not in json.dumps(result)
    assert fleet.posts() == ["sales"], "the others are created"
    assert fleet.credentials()["shop"] == entry
    fleet.assert_delivered("sales")


def test_an_entry_of_another_instance_is_not_replaced_by_one_that_is_found(fleet: Fleet) -> None:
    fleet.seed("shop")
    entry = {"id": "7", "token": "other", "api_url": fleet.emulator.url}
    fleet.credentials_file.write_text(json.dumps({fleet.provider: {"shop": entry}}))
    assert actions(fleet.create("shop")) == {"shop": "failed"}
    assert fleet.credentials() == {"shop": entry}


def test_the_entry_of_an_instance_that_was_deleted_is_replaced(green: Fleet) -> None:
    green.create("shop")
    (old,) = green.existing("shop")
    green.emulator.set_state("green_api", old["id"], "deleted")
    assert actions(green.create("shop")) == {"shop": "created"}
    green.assert_delivered("shop")


@pytest.mark.parametrize(
    ("there", "is_same"),
    [
        ({"id": "1", "token": "old", "api_url": "https://EXAMPLE.com:443/"}, True),
        ({"id": "1", "token": "token", "api_url": "https://elsewhere.example"}, True),
        ({"id": 1, "token": "old"}, True),
        ({}, True),
        ({"id": "1", "token": "old", "api_url": "https://elsewhere.example"}, False),
        ({"id": "2", "token": "token", "api_url": URL}, False),
        ({"token": "token"}, False),
    ],
)
def test_which_entry_is_the_same_instances(tmp_path: Path, there: dict[str, Any], is_same: bool) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps({"green_api": {"shop": there}}))
    file = CredentialsFile(str(path))
    with contextlib.nullcontext() if is_same else pytest.raises(UsageError, match="never overwritten"):
        file.merge([(slot("shop"), instance("shop"))])
    assert entries(path)["shop"] == ({"id": "1", "token": "token", "api_url": URL} if is_same else there)


def test_two_instances_of_one_key_are_refused_before_anything_is_created(tmp_path: Path) -> None:
    file = CredentialsFile(str(tmp_path / "credentials.json"))
    with pytest.raises(UsageError, match="2 instances"), file.reserved([(slot("a/b"), None), (slot("a/b"), None)]):
        pass


# What a process leaves that is killed


@dataclass(frozen=True)
class ReserveAndDie:
    path: str

    def __call__(self) -> None:
        with CredentialsFile(self.path).reserved([(slot("shop"), None)]):
            os.kill(os.getpid(), 9)


def test_what_a_killed_process_has_kept_is_removed_by_a_later_one(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    Child(ReserveAndDie(str(path))).result()
    left = [name for name in os.listdir(tmp_path) if name != path.name]
    assert len(left) == 2
    for name in left:
        os.utime(tmp_path / name, (time.time() - 3600,) * 2)
    with CredentialsFile(str(path)).reserved([(slot("shop"), None)]):
        kept = {*os.listdir(tmp_path)} - {path.name}
        assert not kept & set(left)
        for name in kept:
            os.utime(tmp_path / name, (time.time() - 3600,) * 2)
        with CredentialsFile(str(path)).reserved([(slot("sales"), None)]):
            assert kept <= {*os.listdir(tmp_path)}, "a process that is alive keeps its own"
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EBUSY, errno.ENOLCK, errno.EMFILE])
def test_what_runs_out_or_is_refused_has_a_remedy_of_its_own(number: int) -> None:
    assert number in {**credentials._REMEDIES, **RUN_OUT}
