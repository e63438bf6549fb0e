"""Next items by self-attention: what is served is what was learned, and the order of a history tells."""

import numpy as np
import pytest
import torch

from windlass.learners.contract import Budget, Options
from windlass.learners.recommend.interactions import from_columns
from windlass.learners.recommend.lessons import Lesson
from windlass.learners.recommend.sequential import LONGEST, SETTINGS, SequenceNetwork, sequential, windows
from windlass.predictors.recommend import sequence
from windlass.records import Catalogue, silent

N_ITEMS = 9


def asked(*items):
    return np.array(items, int), np.ones(len(items), np.float32), np.zeros(len(items)), 0.0


def round_and_round(n_users=40, length=8):
    """Everybody goes on from item i to i + 1, the first after the last; nobody touches the item of the last number."""
    users = np.repeat(np.arange(n_users), length)
    items = (users + np.tile(np.arange(length), n_users)) % (N_ITEMS - 1)
    return from_columns(users.astype(str).tolist(), items.astype(str).tolist(),
                        known_items=list(map(str, range(N_ITEMS)))).interactions  # fmt: skip


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """Forty steps, the same on any machine."""
    ids = tuple(map(str, range(N_ITEMS)))
    lesson = Lesson(round_and_round(), ids, Catalogue(ids), (), is_last=True)
    settings = SETTINGS.__class__(lr=1e-2, batch=16, epochs=20)
    make = sequential(Options(tmp_path_factory.mktemp("sasrec")), silent, settings)
    return make(lesson, Budget(30, steps=40))


def test_what_numpy_serves_is_what_torch_learned():
    torch.manual_seed(3)
    network = SequenceNetwork(N_ITEMS).eval()
    torch.nn.init.normal_(network.bias)
    for block in network.blocks:
        torch.nn.init.normal_(block.before.bias, std=0.3)
    history = asked(3, 1, 4, 1, 5)
    with torch.inference_mode():
        state = network(torch.tensor([[-1, -1, 3, 1, 4, 1, 5]]))[0, -1]
        wanted = (network.items.weight @ state + network.bias).numpy()
    assert network.served(np.ones(N_ITEMS, bool)).scores(*history) == pytest.approx(wanted, abs=1e-4)


def test_the_item_after_the_latest_one_is_wanted_next(learned):
    assert [int(np.argmax(learned.scores(*asked(first, first + 1)))) for first in (0, 2, 4)] == [2, 4, 6]


def test_an_item_of_no_event_comes_last_and_a_cold_history_tells_nothing(learned):
    found = learned.scores(*asked(1, 2))
    assert found[-1] == found.min()
    nothing = learned.scores(*asked(N_ITEMS - 1))
    assert nothing.max() == nothing.min() == 0
    items, weights, times, now = asked(1)
    assert not learned.scores(items, 0 * weights, times, now).any()


def test_a_long_history_is_learned_from_in_windows_that_meet():
    events = from_columns(["u"] * 120, list(map(str, range(120)))).interactions
    found = windows(events)
    assert found.shape == (3, LONGEST + 1)
    assert [(int(each[each >= 0][0]), int(each[-1])) for each in found] == [(69, 119), (19, 69), (0, 19)]


def test_it_is_the_same_after_it_was_written(learned, tmp_path):
    learned.save(tmp_path)
    assert sequence.load(tmp_path, {}).scores(*asked(1, 2)).tolist() == learned.scores(*asked(1, 2)).tolist()
