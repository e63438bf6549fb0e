"""Storage: old or new after a crash, whole or absent, one writer, damage refused."""

import errno
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from windlass.database.location import log_path, memory
from windlass.errors import DataError, NotReady
from windlass.improving import attempts
from windlass.planning import promise_file
from windlass.registry import audit_log
from windlass.store.files import hash_file, hash_folder, publish, rewrite_text, size_mb, write_bytes, write_text
from windlass.store.json_files import fingerprint, read_json, write_json
from windlass.store.store import Store
from windlass.watching import state as watched

KILLER = """
import os, random, shutil, signal, sys, time
from pathlib import Path
from windlass.store.files import publish, write_bytes

how, home, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
target, repeats = home / "target", 60_000
n_files = 300 if how == "folder emptied first" else 12

def fill(folder, version):
    for number in range(n_files):
        (folder / f"{number}.txt").write_bytes(b"%08d" % version * 500)

def in_place(version):
    target.mkdir(exist_ok=True)
    fill(target, version)

def emptied_first(version):
    aside, store = home / "aside", home / "store"
    if not store.exists():
        store.mkdir()
        fill(store, version)
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(store, aside, copy_function=os.link)  # fast, so that most kills fall into the emptying
    if target.exists():
        shutil.rmtree(target)
    os.rename(aside, target)

def piece_by_piece(version):
    with target.open("wb") as file:
        for _ in range(repeats):
            file.write(b"%08d" % version)

WRITERS = {
    "write_bytes": lambda version: write_bytes(target, b"%08d" % version * repeats),
    "file in place": piece_by_piece,
    "publish": lambda version: publish(target, lambda folder: fill(folder, version)),
    "folder in place": in_place,
    "folder emptied first": emptied_first,
}

def is_torn():
    if target.is_file():
        content = target.read_bytes()
        return content != content[:8] * repeats
    if not target.exists():
        return False
    contents = {path.read_bytes() for path in target.iterdir()}
    return len(contents) != 1 or len(contents.pop()) != 4_000 or len(list(target.iterdir())) != n_files

torn = missing = 0
WRITERS[how](0)
for turn in range(rounds):
    ready, tell = os.pipe()
    child = os.fork()
    if not child:
        WRITERS[how](1)
        os.write(tell, b"x")
        for version in range(2, 10**7):
            WRITERS[how](version)
    os.read(ready, 1)
    time.sleep(random.Random(turn).uniform(0, 0.012))  # a moment that the writer does not choose
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ready), os.close(tell)
    torn += is_torn()
    missing += not target.exists()
print(torn, missing)
"""


def run(program: str, *arguments: object) -> str:
    """What the program prints, run in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def killed(how: str, home: Path, rounds: int) -> tuple[int, int]:
    """How often the target was torn, and how often it was not there, after kill -9 in the midst of writing."""
    torn, missing = run(KILLER, how, home, rounds).split()
    return int(torn), int(missing)


def test_a_file_is_old_or_new_after_kill_9(tmp_path):
    """60 rounds without failure bound the rate at 3/60; the control below fails in most of its rounds."""
    assert killed("write_bytes", tmp_path, 60) == (0, 0)


def test_a_file_written_in_place_is_torn_by_kill_9(tmp_path):
    """Control: the same kills find the fault that atomic writing prevents."""
    assert killed("file in place", tmp_path, 40)[0] > 0


def test_a_folder_is_whole_or_absent_after_kill_9(tmp_path):
    assert killed("publish", tmp_path, 40)[0] == 0


@pytest.mark.parametrize("how", ["folder in place", "folder emptied first"])
def test_a_folder_that_is_filled_or_emptied_in_place_is_torn_by_kill_9(how, tmp_path):
    """Control: the same kills find the fault that publishing prevents."""
    assert killed(how, tmp_path, 40)[0] > 0


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from windlass.store.files import publish, write_bytes

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file that grows over the limit is an OSError from here on
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
target = Path(sys.argv[2])
try:
    if sys.argv[1] == "file":
        write_bytes(target, b"n" * 1_000_000)
    elif sys.argv[1] == "folder":
        publish(target, lambda folder: (folder / "a").write_bytes(b"n" * 1_000_000))
    else:
        target.write_bytes(b"n" * 1_000_000)
except OSError as error:
    print(type(error).__name__)
"""


def test_a_disk_error_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "a.json").write_text("old")
    assert run(FULL_DISK, "file", tmp_path / "a.json").strip() == "OSError"
    assert (tmp_path / "a.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_disk_error_destroys_a_file_that_is_written_in_place(tmp_path):
    """Control."""
    (tmp_path / "a.json").write_text("old")
    assert run(FULL_DISK, "plainly", tmp_path / "a.json").strip() == "OSError"
    assert (tmp_path / "a.json").read_text() != "old"


def test_a_disk_error_leaves_the_old_folder_and_nothing_else(tmp_path):
    publish(tmp_path / "model", lambda folder: write_text(folder / "a", "old"))
    assert run(FULL_DISK, "folder", tmp_path / "model").strip() == "OSError"
    assert (tmp_path / "model" / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_build_that_fails_leaves_the_old_folder(tmp_path):
    publish(tmp_path / "model", lambda folder: write_text(folder / "a", "old"))
    with pytest.raises(ZeroDivisionError):
        publish(tmp_path / "model", lambda folder: write_text(folder / "a", str(1 / 0)))
    assert (tmp_path / "model" / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_published_folder_replaces_all_of_the_old_one(tmp_path):
    publish(tmp_path / "deep" / "model", lambda folder: write_text(folder / "sub" / "old", "1"))
    publish(tmp_path / "deep" / "model", lambda folder: write_text(folder / "new", "2"))
    assert sorted(hash_folder(tmp_path / "deep")) == ["model/new"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["model"]
    assert (tmp_path / "deep" / "model").stat().st_mode & 0o777 == 0o755


def test_a_file_is_written_with_its_folders_and_read_back(tmp_path):
    path = tmp_path / "a" / "b" / "c.json"
    write_json(path, {"é": ["退款", 1, None, True, 0.5]})
    assert read_json(path) == {"é": ["退款", 1, None, True, 0.5]}
    assert "退款" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}])
def test_a_number_that_is_not_finite_is_not_written(value, tmp_path):
    """JSON has none; the old file stays."""
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == 1


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"a": 1', b"\xff\xfe", b"nonsense", b'{"a": 1}}', b"[" * 200_000, b"\x00" * 40]
)
def test_a_damaged_file_is_refused(content, tmp_path):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DataError, match=r"a.json is damaged, expected JSON\nhint: remove it"):
        read_json(tmp_path / "a.json")


def test_a_missing_file_is_not_ready(tmp_path):
    with pytest.raises(NotReady, match="does not exist, expected it from an earlier stage"):
        read_json(tmp_path / "a.json")


def test_a_stage_that_has_not_run_names_its_command(tmp_path):
    with pytest.raises(NotReady, match=r"stage 'train' has not run in .*\nhint: `windlass train`"):
        Store(tmp_path).read_record("train")


@pytest.mark.parametrize("content", ["[]", "3", "null", '"x"'])
def test_a_record_that_is_no_mapping_is_refused_and_never_current(content, tmp_path):
    store = Store(tmp_path)
    write_text(store.record("train"), content)
    assert not store.is_current("train", "k")
    with pytest.raises(DataError, match="is damaged, expected a mapping"):
        store.read_record("train")


def test_a_stage_is_current_only_for_the_same_key(tmp_path):
    store = Store(tmp_path)
    assert not store.is_current("train", "k")
    write_json(store.record("train"), {"key": "k"})
    assert store.is_current("train", "k")
    assert not store.is_current("train", "other")


LOCKER = """
import sys
from pathlib import Path
from windlass.errors import NotReady
from windlass.store.store import Store

try:
    with Store(Path(sys.argv[1])).lock():
        print("got it", flush=True)
        if sys.argv[2] == "hold":
            sys.stdin.read()
except NotReady as error:
    print(error)
"""


def test_a_second_process_is_refused_until_the_first_is_done(tmp_path):
    with Store(tmp_path).lock():
        said = run(LOCKER, tmp_path, "once")
        assert "is in use by another `windlass` command, expected one at a time" in said
        assert "hint: wait until it is done" in said
    assert run(LOCKER, tmp_path, "once").strip() == "got it"


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    """A crash must not lock a project for ever."""
    with subprocess.Popen(
        [sys.executable, "-c", LOCKER, str(tmp_path), "hold"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline().strip() == "got it"
        with pytest.raises(NotReady), Store(tmp_path).lock():
            pass
        holder.kill()
        holder.wait()
    with Store(tmp_path).lock():
        pass


def test_two_threads_of_one_process_do_not_share_the_lock(tmp_path):
    with Store(tmp_path).lock(), pytest.raises(NotReady), Store(tmp_path).lock():
        pass


def test_an_error_frees_the_lock(tmp_path):
    with pytest.raises(ZeroDivisionError), Store(tmp_path).lock():
        _ = 1 / 0
    with Store(tmp_path).lock():
        pass


def test_a_fingerprint_is_the_hash_of_canonical_json():
    """SHA-256 of `{"a": 1, "b": [2, null]}`, computed with sha256sum."""
    assert (
        fingerprint({"b": [2, None], "a": 1})
        == fingerprint({"a": 1, "b": [2, None]})
        == ("c8caf5ad035ad1d6a15b14c79b2f86a75c47cb4eb04c32a063e979eb1849b3bb")
    )


@pytest.mark.parametrize("other", [{"a": 2}, {"a": "1"}, {"a": [1]}, {"b": 1}, {"a": 1, "b": None}, [("a", 1)]])
def test_other_values_have_another_fingerprint(other):
    assert fingerprint({"a": 1}) != fingerprint(other)


def test_a_fingerprint_is_the_same_in_every_process():
    """Python's own hash() is not."""
    program = (
        "from windlass.store.json_files import fingerprint; print(fingerprint({'é': ['\\ud800', 1.5], 'a': None}))"
    )
    assert len({run(program) for _ in range(2)} | {fingerprint({"a": None, "é": ["\ud800", 1.5]}) + "\n"}) == 1


def test_files_are_hashed_by_content_and_named_by_place(tmp_path):
    """SHA-256 of 'abc' is FIPS 180-2's own example."""
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    write_text(tmp_path / "b" / "c.txt", "abc")
    write_bytes(tmp_path / "a.bin", b"\x00" * 2_000_000)
    assert hash_file(tmp_path / "b" / "c.txt") == abc
    assert list(hash_folder(tmp_path).items())[1] == ("b/c.txt", abc)
    assert size_mb(tmp_path) == pytest.approx(2.000003)


def test_each_stage_has_a_folder_by_its_word(tmp_path):
    store = Store(tmp_path)
    assert store.stage("collect") == tmp_path / ".windlass" / "collect"
    assert store.record("collect") == tmp_path / ".windlass" / "collect" / "collect.json"
    assert store.run_folder("cnn").is_dir()
    write_json(store.record("collect"), {"key": "k", "rows": 3})
    assert store.read_record("collect")["rows"] == 3
    assert json.loads(store.record("collect").read_text())["rows"] == 3


# files of the user's --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o440])
def test_a_file_of_the_users_keeps_its_mode_and_its_link(tmp_path, mode):
    """Control: what the store writes for itself is 0644, and replaces a link, which a stranger's store may hold."""
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    real.chmod(mode)
    link.symlink_to("real.txt")
    rewrite_text(link, "new")
    assert (link.is_symlink(), real.read_text(), real.stat().st_mode & 0o7777) == (True, "new", mode)
    write_text(link, "newer")
    assert (link.is_symlink(), real.read_text(), link.stat().st_mode & 0o7777) == (False, "new", 0o644)


def test_a_file_that_is_not_there_is_written(tmp_path):
    rewrite_text(tmp_path / "a" / "b.txt", "new")
    assert (tmp_path / "a" / "b.txt").read_text() == "new"


STRANGER = """
import os, sys
from pathlib import Path
from windlass.store.files import rewrite_text
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
rewrite_text(Path(sys.argv[1]), "stolen")
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file to somebody else")
def test_a_file_keeps_its_owner_and_is_left_alone_where_it_cannot():
    with tempfile.TemporaryDirectory() as place:  # pytest's own folders let nobody else in
        Path(place).chmod(0o777)
        owner_stays(Path(place) / "a.txt")


def owner_stays(path: Path) -> None:
    path.write_text("old")
    os.chown(path, 1234, 1235)
    rewrite_text(path, "new")
    assert (path.read_text(), path.stat().st_uid, path.stat().st_gid) == ("new", 1234, 1235)
    done = subprocess.run([sys.executable, "-c", STRANGER, str(path)], capture_output=True, text=True, check=False)
    assert "expected its owner, mode and attributes to stay" in done.stderr
    assert done.returncode == 1
    assert (path.read_text(), path.stat().st_uid) == ("new", 1234)


def test_attributes_of_a_file_stay(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    try:
        os.setxattr(path, "user.windlass", b"kept")
    except (OSError, AttributeError) as error:
        pytest.skip(f"no attributes of files here: {error}")
    rewrite_text(path, "new")
    assert os.getxattr(path, "user.windlass") == b"kept"


# disks ----------------------------------------------------------------------------------------------------------------


def test_an_error_of_the_disk_names_the_file_that_was_to_be(tmp_path, monkeypatch):
    """And nothing of what was written aside is left."""

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"\[Errno 28\] .*/a\.json'"):
        write_json(tmp_path / "a.json", 1)
    with pytest.raises(OSError, match=r"\[Errno 28\] .*/folder'"):
        publish(tmp_path / "folder", lambda folder: (folder / "x").write_bytes(b"1"))
    assert list(tmp_path.iterdir()) == []


def held(lock) -> bool:
    with lock:
        return True


WRITERS = {
    "lock": lambda store: held(store.lock()),
    "releases/.trail.lock": lambda store: held(audit_log.locked(store.folder / "releases")),
    "watch/.lock": lambda store: held(watched.locked(store)),
    "improve/.lock": lambda store: held(attempts.locked(store)),
    "releases/trail.jsonl": lambda store: audit_log.add(store.folder / "releases", {"number": 1}),
    "plan/promises.jsonl": lambda store: promise_file.add(store.folder / "plan/promises.jsonl", [{"event": "came"}]),
}


@pytest.mark.parametrize("lay", ["link", "second name", "pipe"])
@pytest.mark.parametrize("name", WRITERS)
def test_what_a_stranger_laid_out_is_neither_written_nor_waited_for(tmp_path, name, lay):
    """A lock that was a link emptied the file that it named."""
    store, foreign = Store(tmp_path / "product"), tmp_path / "mine"
    foreign.write_text("mine", encoding="utf-8")
    path = store.folder / name
    path.parent.mkdir(parents=True)
    if lay == "pipe":
        os.mkfifo(path)
    else:
        (path.symlink_to if lay == "link" else path.hardlink_to)(foreign)
    with pytest.raises(DataError, match="expected a file of this project's own"):
        WRITERS[name](store)
    assert foreign.read_text(encoding="utf-8") == "mine"
    path.unlink()
    WRITERS[name](store)
    assert path.is_file()


@pytest.mark.parametrize("lay", ["link", "pipe"])
def test_the_memory_of_a_service_is_no_file_elsewhere(tmp_path, lay):
    store = Store(tmp_path / "product")
    path = log_path(store)
    path.parent.mkdir(parents=True)
    if lay == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / "mine.sqlite")
    with pytest.raises(DataError, match="expected a file of this project's own"):
        memory(store)
    path.unlink()
    assert not memory(store).exists()
