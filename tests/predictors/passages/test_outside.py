"""Vectors in a real PostgreSQL with pgvector: the same nearest, a table a release, answers when the server is gone."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tests.serving.postgres_server import Server, programs
from windlass.database.postgres import Postgres
from windlass.errors import DataError, NotReady
from windlass.predictors.passages import outside, vectors


def with_pgvector() -> Path | None:
    """The programs of a PostgreSQL that has pgvector: this machine's, or those of the package `pgserver`."""
    found = programs()
    if found is not None and list((found.parent / "share").rglob("vector.control")):
        return found
    package = find_spec("pgserver")
    return Path(package.origin).parent / "pginstall" / "bin" if package and package.origin else None


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install '.[postgres]'")
    place = with_pgvector()
    if place is None:
        pytest.skip("no PostgreSQL with pgvector here: pip install pgserver")
    with tempfile.TemporaryDirectory(prefix="windlass-pg-", ignore_cleanup_errors=True) as folder:
        made = Server(place, Path(folder))
        yield made
        made.stop("immediate")


def rows(seed: int) -> np.ndarray:
    return vectors.unit(np.random.default_rng(seed).normal(size=(400, 8)))


def test_the_server_finds_what_exact_search_finds_and_each_release_has_its_own(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(outside.VARIABLE, server.url("postgres"))
    for seed in (1, 2):
        vectors.Vectors(rows(seed)).save(tmp_path / str(seed))
    first, second, again = (vectors.load(tmp_path / name, most_exact=10) for name in ("1", "2", "1"))
    assert first.graph.table == again.graph.table != second.graph.table
    for asked in rows(3)[:50]:
        for loaded, seed in ((first, 1), (second, 2)):
            wanted = vectors.Vectors(rows(seed)).scores(asked)
            assert np.array_equal(loaded.scores(asked).best(10), wanted.best(10))
            allowed = np.arange(400) % 7 == 0
            assert np.array_equal(loaded.scores(asked).best(10, allowed), wanted.best(10, allowed))
    database = Postgres(server.url("postgres"))
    assert vectors.drop_outside(tmp_path / "1") == 1  # as `forget` does with a release that it destroys
    with closing(database.connect()) as connection:
        assert {first.graph.table, second.graph.table} & set(connection.tables()) == {second.graph.table}
    monkeypatch.delenv(outside.VARIABLE)
    assert vectors.drop_outside(tmp_path / "2") == 0
    assert np.array_equal(first.scores(rows(3)[0]).best(5), vectors.Vectors(rows(1)).scores(rows(3)[0]).best(5))


def test_a_table_of_other_vectors_is_refused(server: Server) -> None:
    database = Postgres(server.url("postgres"))
    outside.open_outside(database, "0" * 16, rows(4))
    with pytest.raises(DataError, match="of the nearest passages"):
        outside.open_outside(database, "0" * 16, rows(5))


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(NotReady, match="PostgreSQL with pgvector"):
        outside.open_outside(Postgres("postgresql://nobody@127.0.0.1:1/none"), "0" * 16, rows(4))
    with pytest.raises(DataError, match="16 hexadecimal"):
        outside.name_of("x; drop table users")


def test_a_server_that_keeps_a_table_stops_who_forgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(outside.VARIABLE, "postgresql://nobody@127.0.0.1:1/none")
    vectors.Vectors(rows(1)).save(tmp_path / "model")
    with pytest.raises(NotReady, match="cannot be removed"):
        vectors.drop_outside(tmp_path)
