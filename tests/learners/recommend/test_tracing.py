"""Fits of tracers find what they were drawn from, and what numpy serves is what torch learned."""

import numpy as np
import pytest

from windlass.learners.contract import Budget, Options
from windlass.learners.recommend.tracing import bkt, growth, irt, trees
from windlass.predictors.recommend.tracing.attempts import Attempts, Course, trace

COURSE = Course(np.array([0, 0, 0, 1, 1, 1]), np.array([[False, False], [True, False]]))
DIFFICULTY = np.array([-1.5, 0.0, 1.5, -1.5, 0.0, 1.5])


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(1)
    n, length = 150, 12
    exercises = rng.integers(0, 6, n * length)
    ability = np.repeat(rng.normal(0, 1, n), length)
    right = rng.random(n * length) < 1 / (1 + np.exp(DIFFICULTY[exercises] - ability))
    return Attempts(np.repeat(np.arange(n), length), exercises, right, np.tile(np.arange(length) // 2 * 1.0, n))


def test_difficulties_come_out_as_they_were_drawn(drawn):
    found = irt.fit(drawn, COURSE).difficulty
    assert np.abs(found - DIFFICULTY).max() < 0.35


def test_the_chances_of_a_skill_come_out_as_they_were_drawn():
    rng = np.random.default_rng(2)
    n, length = 600, 8
    known, rows = rng.random(n) < 0.3, []
    for _ in range(length):
        rows.append(np.where(known, rng.random(n) < 0.9, rng.random(n) < 0.2))
        known |= rng.random(n) < 0.25
    right = np.array(rows).T.ravel()
    attempts = Attempts(np.repeat(np.arange(n), length), np.zeros(n * length, int), right, np.tile(np.arange(8.0), n))
    found = bkt.fit(attempts, Course(np.zeros(1, int), np.zeros((1, 1), bool)))
    values = [found.known[0], found.learned[0], found.guessed[0], found.slipped[0]]
    assert values == pytest.approx([0.3, 0.25, 0.2, 0.1], abs=0.06)


def test_trees_and_growth_tell_more_than_the_share_of_each_exercise(drawn, monkeypatch):
    monkeypatch.setattr(growth, "SWEEPS", 1)
    monkeypatch.setattr(growth, "EVALUATIONS", 9)
    constant = growth.lost(np.full(len(drawn), drawn.right.mean()), drawn.right)
    for found in (trees.fit(drawn, COURSE), growth.fit(drawn, COURSE)):
        assert growth.lost(trace(found, drawn), drawn.right) < 0.9 * constant


@pytest.mark.parametrize("name", ["recurrent", "attention"])
def test_numpy_serves_what_torch_learned(name, drawn, tmp_path):
    torch = pytest.importorskip("torch")
    from windlass.learners.recommend.tracing import networks

    some = drawn.of(np.arange(drawn.n_learners) < 20)
    torch.manual_seed(0)
    made = {"recurrent": networks.RecurrentNetwork, "attention": networks.AttentionNetwork}[name](6).eval()
    of = networks.sequences(some)
    with torch.no_grad():
        wanted = torch.sigmoid(made(of))[of.is_real].numpy()
    assert trace(made.served(), some) == pytest.approx(wanted, abs=1e-5)


def test_a_network_is_learned_by_the_one_loop(drawn, tmp_path):
    pytest.importorskip("torch")
    from windlass.learners.recommend.tracing import networks

    options, budget = Options(tmp_path), Budget(5, steps=10)
    found = networks.fit_attention(drawn, COURSE, options, budget, lambda *said: None)
    assert np.isfinite(trace(found, drawn)).all()
