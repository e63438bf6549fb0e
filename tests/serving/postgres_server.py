"""A real PostgreSQL for tests: one server a session, on a Unix socket, a database a test; skipped where none is."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from windlass.database.backend import Database
from windlass.database.connection import database_at
from windlass.database.sqlite import Sqlite

PLACES = [Path("/usr/local/bin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
ACCESS = "local all guarded scram-sha-256\nlocal all all trust\n"
NUMBERS = count()


def programs() -> Path | None:
    """The folder of pg_ctl, initdb and postgres, or None."""
    found = shutil.which("pg_ctl")
    folders = [*([Path(found).parent] if found else []), *PLACES]
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


class Server:
    """PostgreSQL in a folder of its own, listening on a socket in it. It refuses root: then `nobody` runs it."""

    def __init__(self, bin: Path, folder: Path) -> None:
        self.bin, self.folder = bin, folder
        self.user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        if self.user is not None:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        self._run("initdb", "-U", "windlass", "-E", "UTF8", "--locale=C", "--no-sync", "-A", "trust")
        (folder / "data" / "pg_hba.conf").write_text(ACCESS)
        self.start()

    def _run(self, program: str, *words: str) -> int:
        """`setpriv` becomes the other user: setuid in a fork of a process with threads waited for ever at times."""
        how: dict[str, Any] = {"cwd": self.folder, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}}
        command = [str(self.bin / program), "-D", "data", *words]
        if self.user is not None:
            ids = (f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", "--clear-groups")
            command = ["setpriv", *ids, *command]
        return subprocess.run(command, **how, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode

    def start(self) -> None:
        """Returns when it accepts connections; after a kill -9 that is when the old processes are gone."""
        options = f"-k {self.folder} -c listen_addresses="
        for _ in range(50):
            if self._run("pg_ctl", "start", "-w", "-l", "log", "-o", options) == 0:
                return
        raise RuntimeError((self.folder / "log").read_text())

    def stop(self, how: str = "fast") -> None:
        assert self._run("pg_ctl", "stop", "-w", "-m", how) == 0

    def kill(self) -> None:
        """As a crash does: no process of it can write anything any more."""
        os.kill(int((self.folder / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def url(self, name: str, user: str = "windlass") -> str:
        return f"postgresql://{user}@/{name}?host={self.folder}"

    def make(self) -> Database:
        """A new, empty database."""
        name = f"test_{next(NUMBERS)}"
        with closing(database_at(self.url("postgres")).connect()) as connection:
            connection.execute(f"create database {name}")
        return database_at(self.url(name))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install '.[postgres]'")
    bin = programs()
    if bin is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="windlass-pg-", ignore_cleanup_errors=True) as folder:
        server = Server(bin, Path(folder))
        yield server
        server.stop("immediate")


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest) -> Callable[[Path], Database]:
    """Makes an empty database of either engine; the path is where a file would lie."""
    if request.param == "sqlite":
        return Sqlite
    server = request.getfixturevalue("postgres_server")
    return lambda path: server.make()


@pytest.fixture
def place(new_place: Callable[[Path], Database], tmp_path: Path) -> Database:
    return new_place(tmp_path / "memory.sqlite")
