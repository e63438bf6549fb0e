"""Where a project's service keeps what it must remember, for everyone who reads or writes it."""

from pathlib import Path

from windlass.database.backend import Database, Failure
from windlass.database.connection import database_at
from windlass.database.request_log import TABLES
from windlass.database.sqlite import Sqlite
from windlass.errors import DataError, NotReady
from windlass.store.store import Store

LOG = "requests.sqlite"


def log_path(store: Store) -> Path:
    """Where the request log and the feedback are kept."""
    return store.folder / "serve" / LOG


def _own(path: Path) -> Path:
    """A stranger's project may bring a link to a database of this user's, which would get tables of ours."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise DataError(
            f"{path} is a link, a pipe or a folder, expected a file of this project's own",
            "look at it, then remove it; `--database sqlite:///PATH` names another place",
        )
    return path


def memory(store: Store, url: str = "") -> Database:
    """Where the service keeps what it must remember: the database of the URL, else a file of the project.

    Raises: SpecError: not such a URL. NotReady: the database cannot be used, or psycopg is missing.
    DataError: a link or a pipe stands where the file of the project would.
    """
    if not url:
        return Sqlite(_own(log_path(store)))
    place = database_at(url)
    try:
        place.connect(TABLES).close()
    except Failure as failure:
        raise NotReady(
            f"database {place.where} cannot be used ({failure}), expected one to write to",
            "look at the URL of `--database` or WINDLASS_DATABASE",
        ) from None
    return place
