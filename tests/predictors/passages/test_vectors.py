"""Vectors: exact neighbours, the graph beyond what is weighed one by one, and what is damaged."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.predictors.passages import vectors
from windlass.predictors.passages.scores import AllScores
from windlass.predictors.passages.tensors import write_tensors

RANDOM = np.random.default_rng(13)


def test_the_best_are_in_order_and_of_equals_the_first_comes_first() -> None:
    found = AllScores(np.array([1.0, 3.0, 2.0, 3.0, 0.0, 2.0]), least=0.0)
    assert found.best(3).tolist() == [1, 3, 2]
    assert found.best(10).tolist() == [1, 3, 2, 5, 0]
    assert found.best(2, np.array([True, False, True, False, True, True])).tolist() == [2, 5]


def test_exact_neighbours_are_those_of_plain_products() -> None:
    rows = RANDOM.normal(size=(200, 8))
    found = vectors.build(rows)
    asked = vectors.unit(RANDOM.normal(size=(1, 8)))[0]
    wanted = np.argsort(-(rows @ asked) / np.linalg.norm(rows, axis=1))[:5]
    assert found.scores(asked).best(5).tolist() == wanted.tolist()


@pytest.mark.skipif(find_spec("usearch") is None, reason="usearch is not installed")
def test_the_graph_finds_what_exact_search_finds_and_nothing_that_is_not_allowed(tmp_path: Path) -> None:
    rows, asked = RANDOM.normal(size=(400, 16)), vectors.unit(RANDOM.normal(size=(1, 16)))[0]
    exact, near = vectors.build(rows).scores(asked), vectors.build(rows, most_exact=100)
    near.save(tmp_path)
    for graph in (near, vectors.load(tmp_path)):
        assert np.isin(graph.scores(asked).best(10), exact.best(10)).mean() >= 0.9
        few = np.zeros(400, bool)
        few[exact.best(400)[-7:]] = True  # the farthest: the graph must not stop before it comes to them
        assert graph.scores(asked).best(5, few).tolist() == exact.best(5, few).tolist()


def test_vectors_that_are_not_of_length_one_are_refused(tmp_path: Path) -> None:
    write_tensors(tmp_path / vectors.FILE, {"rows": np.full((2, 2), 9.0, np.float32)})
    with pytest.raises(DataError, match="length 1"):
        vectors.load(tmp_path)
    (tmp_path / vectors.FILE).write_bytes(b"rubbish")
    with pytest.raises(DataError, match="damaged"):
        vectors.load(tmp_path)
