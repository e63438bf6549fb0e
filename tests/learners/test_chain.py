"""Chains of linear models: what links add, and that they are learned where a tag follows from another."""

import numpy as np
import pytest

from windlass.errors import DataError
from windlass.learners.classic import chain, tagging
from windlass.learners.contract import Budget, Options
from windlass.learners.networks.lesson import Lesson
from windlass.predictors import table as predictors
from windlass.predictors.tables.chain import linked
from windlass.records import silent
from windlass.testing.toys import tags_table


def test_a_link_adds_what_an_earlier_tag_says():
    """The second tag comes first: its probability of 1/2 adds half of its link to the first one."""
    links = np.array([[0, 0], [3, 0]], np.float32)
    assert linked(np.array([[1.0, 0.0]]), links, np.array([1, 0])).tolist() == [[2.5, 0.0]]


def test_a_tag_that_follows_from_another_is_linked():
    random = np.random.default_rng(3)
    rows = random.normal(size=(300, 4)).astype(np.float32)
    first = rows[:, 0] > 0
    second = first & (random.random(300) < 0.8)
    found = chain._fitted(rows, Lesson(np.stack([second, first], axis=1).astype(float), None, 2, 1.0, 13))
    assert found.order.tolist() == [1, 0]
    assert found.links[1, 0] > 0.5
    assert found.links[0, 1] == 0


def test_a_tag_that_all_rows_have_or_none_is_told_by_a_bias():
    rows, lesson = np.ones((5, 2)), Lesson(np.zeros((5, 1)), None, 1, 1.0, 13)
    assert tagging.solve_one(rows, np.ones(5, bool), lesson)[1] == tagging.SURE
    assert tagging.solve_one(rows, np.zeros(5, bool), lesson)[1] == -tagging.SURE


def test_a_damaged_chain_is_refused(tmp_path):
    splits = tags_table(tmp_path)
    artifact = chain.fit(splits, Options(tmp_path / "run", "micro_f1"), Budget(5), silent).artifact
    predictors.replay(predictors.load(artifact), artifact)
    path = artifact / "chain.safetensors"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="expected the links of a chain"):
        predictors.load(artifact)
