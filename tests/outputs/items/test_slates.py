"""Lists of the log that explored, and what another release would have earned with them."""

import json

import numpy as np
import pytest

from windlass.database.request_log import Feedback, Logged, RequestLog
from windlass.errors import DataError
from windlass.outputs.items.slates import judged, slates
from windlass.predictors.recommend.exploration import Exploration
from windlass.predictors.recommend.item_index import ItemIndex
from windlass.predictors.recommend.popular import Popular
from windlass.predictors.recommend.recommender import Recommender
from windlass.records import Catalogue, Column, Manifest

N_ITEMS, K = 6, 3
LIKED = np.array([0.1, 0.1, 0.1, 0.3, 0.5, 0.8])
"""Chance of a click on each item by who looks; the log's ranking shows the worst first."""


def release(events):
    index = ItemIndex(Catalogue(tuple(f"i{n}" for n in range(N_ITEMS))), *(np.array(events, kind) for kind in
                      (np.float32, np.int32, np.int32)))  # fmt: skip
    manifest = Manifest("recommender", "popularity", (Column("history", "items"),), Column("recommended", "items"))
    return Recommender(manifest, Popular(index.events), index)


def logged(path, n):
    """Lists of a ranking from i0 on with a third by chance, and their clicks."""
    random, explore, answers, told = np.random.default_rng(1), Exploration("epsilon", 0.33), [], []
    for number in range(n):
        slate = explore.slate(-np.arange(N_ITEMS, dtype=float), np.zeros(N_ITEMS), K, random)
        entries = [{"item": f"i{item}", "score": 1.0, "reason": "", "chance": float(chance)}
                   for item, chance in zip(slate.places, slate.chances, strict=True)]  # fmt: skip
        row = {"history": json.dumps({"user": f"u{number % 40}", "k": K})}
        answers.append(Logged(f"a{number}", float(number), "r1", json.dumps(entries), None, 1.0, row))
        hits = [f"i{item}" for item in slate.places if random.random() < LIKED[item]]
        told += [Feedback(f"a{number}", json.dumps({"items": [item]}), None, "") for item in hits]
    with RequestLog(path) as log:
        log.record(answers, 100)
        for each in told:
            stored = log.feedback(each)
        stored.result(60)
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return logged(tmp_path_factory.mktemp("log") / "requests.sqlite", 900)


def test_a_better_ranking_is_seen_to_be_better_before_it_is_shown(place):
    found = judged(slates(place), release([1, 2, 3, 4, 5, 6]))
    best = LIKED[-3:].sum()
    for value in (found.self_normalised.estimate, found.doubly_robust.estimate):
        assert value.low <= best <= value.high
        assert value.low > found.plain.estimate.high
    assert found.n_slates == 900


def test_the_ranking_that_was_shown_is_worth_what_it_earns_without_chance(place):
    found = judged(slates(place), release([6, 5, 4, 3, 2, 1]))
    assert found.doubly_robust.estimate.value == pytest.approx(0.3, abs=0.08)
    assert found.plain.estimate.value > found.doubly_robust.estimate.value  # chance shows better ones


def test_a_log_without_exploration_judges_nothing(tmp_path):
    with pytest.raises(DataError, match="no list that explored"):
        judged([], release([1] * N_ITEMS))
