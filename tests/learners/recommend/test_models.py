"""Fits of recommenders against their textbook's formula, and what they refuse."""

import numpy as np
import pytest

from windlass.errors import NotReady
from windlass.learners.contract import Budget
from windlass.learners.recommend import ease
from windlass.learners.recommend.choosing import Asked, Exam, best_of, ndcg
from windlass.learners.recommend.contents import ContentSetting, ContentSpace, Newness, ages_of
from windlass.learners.recommend.interactions import Interactions, from_columns
from windlass.learners.recommend.item_knn import neighbours
from windlass.learners.recommend.matrices import matrix
from windlass.learners.recommend.models import picked
from windlass.predictors.recommend.neighbours import Neighbours
from windlass.predictors.recommend.popular import Popular
from windlass.predictors.recommend.taste import Taste
from windlass.records import Catalogue


def events(n_users: int, n_items: int, seed: int = 3) -> Interactions:
    random = np.random.default_rng(seed)
    users, items = np.nonzero(random.random((n_users, n_items)) < 0.4)
    log = from_columns([f"u{each}" for each in users], [str(each) for each in items],
                       known_items=[str(each) for each in range(n_items)])  # fmt: skip
    return log.interactions


def dense(found: Neighbours) -> np.ndarray:
    whole = np.zeros((found.n_items, found.n_items))
    for item in range(found.n_items):
        part = slice(found.starts[item], found.starts[item + 1])
        whole[item, found.others[part]] = found.values[part]
    return whole


def textbook_ease(log: Interactions, penalty: float) -> np.ndarray:
    """Steck 2019, algorithm 1."""
    liked = matrix(log, Taste()).toarray().astype(float)
    gram = liked.T @ liked
    gram[np.diag_indices(len(gram))] += penalty
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    weights[np.diag_indices(len(weights))] = 0
    return weights


@pytest.mark.parametrize(("n_users", "n_items"), [(8, 12), (12, 8)])
def test_ease_is_the_same_by_users_and_by_items(n_users: int, n_items: int) -> None:
    log = events(n_users, n_items)
    solver = ease.Solver(log, Taste())
    assert solver.is_dual == (n_users < n_items)
    assert dense(solver.neighbours(5.0, Taste())) == pytest.approx(textbook_ease(log, 5.0), abs=1e-5)
    histories = matrix(log, Taste())
    hand = histories.toarray() @ textbook_ease(log, 5.0)
    assert solver.scored(5.0, histories) == pytest.approx(hand[:, solver.touched], abs=1e-4)


def test_ease_serves_the_strongest_weights_of_each_item() -> None:
    log = events(8, 12)
    found, whole = dense(ease.Solver(log, Taste()).neighbours(5.0, Taste(), 3)), textbook_ease(log, 5.0)
    for item in range(12):
        kept = np.flatnonzero(found[item])
        assert set(kept) == set(np.argsort(-np.abs(whole[item]))[:3])


def test_an_item_that_nobody_touched_has_no_neighbours() -> None:
    log = from_columns(["a", "a", "b"], ["x", "y", "x"], known_items=["new", "x", "y"]).interactions
    found = dense(ease.Solver(log, Taste()).neighbours(1.0, Taste()))
    assert not found[0].any()
    assert not found[:, 0].any()
    assert dense(neighbours(log, 1.0))[0].tolist() == [0, 0, 0]


def test_ease_refuses_what_would_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ease.needs_bytes(50_000, 100_000) > ease.MOST_BYTES
    monkeypatch.setattr(ease, "MOST_SIDE", 5)
    with pytest.raises(NotReady, match=r"8 users and 12 items would need .* `item-knn` and `als` do with less"):
        ease.Solver(events(8, 12), Taste())


def test_neighbours_are_the_shrunk_cosine() -> None:
    log = events(9, 7)
    liked = matrix(log, Taste()).toarray().astype(float)
    norms = np.sqrt((liked**2).sum(axis=0) + 2.0)
    hand = (liked.T @ liked) / norms[:, None] / norms
    np.fill_diagonal(hand, 0)
    assert dense(neighbours(log, 2.0)) == pytest.approx(hand, abs=1e-5)
    few = dense(neighbours(log, 2.0, n_kept=2))
    assert ((few > 0).sum(axis=1) <= 2).all()
    assert few.max(axis=1) == pytest.approx(hand.max(axis=1), abs=1e-5)


def test_of_a_robot_the_latest_items_are_learned_from() -> None:
    log = from_columns(["a"] * 5, list("vwxyz"), [1, 2, 3, 4, 5], [1, 1, 1, 1, 0]).interactions
    assert matrix(log, Taste(), n_latest=3).toarray().tolist() == [[0, 0, 1, 1, 0]]


def shop() -> tuple[Interactions, Catalogue]:
    """Who wants tea wants tea, who wants ink wants ink; the last item of each is new."""
    ids = [f"{kind}{number}" for kind in ("tea", "ink") for number in range(12)]
    users, items = [], []
    random = np.random.default_rng(5)
    for user in range(40):
        kind = ("tea", "ink")[user % 2]
        for number in random.choice(11, 4, replace=False):
            users.append(f"u{user}")
            items.append(f"{kind}{number}")
    words = {"tea": "green leaf", "ink": "blue bottle"}
    catalogue = Catalogue(tuple(ids), {"title": tuple(f"{words[each[:3]]} {each[3:]}" for each in ids),
                                       "available": ("yes",) * len(ids)})  # fmt: skip
    return from_columns(users, items, known_items=ids).interactions, catalogue


def test_a_new_item_is_found_by_what_is_told_of_it() -> None:
    log, catalogue = shop()
    content = ContentSpace(log, catalogue).content(ContentSetting(0.7, 0.0))
    tea = np.array([catalogue.places["tea1"], catalogue.places["tea2"]])
    scores = content.scores(tea, np.ones(2, np.float32), np.zeros(2), 0.0)
    assert scores[catalogue.places["tea11"]] > scores[catalogue.places["ink11"]] + 0.3
    assert "yes" not in catalogue.texts()[0]


def test_the_year_in_what_is_told_makes_an_age() -> None:
    now = 46.5 * 31_557_600  # summer of 2016
    texts = ["Arrival (2016)", "1984 (1956)", "ink 12", "Next (2018)", "Old (2013)"]
    assert ages_of(texts, now).tolist() == [1, 6, 7, 0, 4]


def test_new_items_of_an_age_that_was_wanted_come_first() -> None:
    log, catalogue = shop()
    titles = tuple(f"{title} ({1969 if each.endswith('11') else 1950})" for each, title in
                   zip(catalogue.ids, catalogue.columns["title"], strict=True))  # fmt: skip
    space = ContentSpace(log, Catalogue(catalogue.ids, {"title": titles}))
    space.is_new[catalogue.places["tea10"]] = True  # one that is old, and was passed over
    likes = np.zeros(len(catalogue))
    likes[catalogue.places["ink11"]] = 3
    found = space.content(ContentSetting(0.5, 0.0), space.newness_of(likes)).liking
    assert found[catalogue.places["tea11"]] > 0 > found[catalogue.places["tea10"]]
    assert space.newness_of(np.zeros(len(catalogue))) == Newness()


def test_whoever_was_here_of_late_counts_more_where_that_is_chosen() -> None:
    log = from_columns(["a", "b"], ["x", "x"], [0.0, 10.0]).interactions
    assert ease.recency(log, 0.5) == pytest.approx(np.array([0.25, 1.0]) / 0.625)
    assert ease.recency(log, np.inf).tolist() == [1, 1]
    assert ease.recency(from_columns([], []).interactions, 0.5).tolist() == []


def test_content_of_nothing_is_refused() -> None:
    log, catalogue = shop()
    with pytest.raises(NotReady, match="tells something of 0 items"):
        ContentSpace(log, Catalogue(catalogue.ids))


def question(*liked: int, seen: tuple[int, ...] = ()) -> Asked:
    past = np.array(seen, int)
    return Asked(past, np.ones(len(past), np.float32), np.zeros(len(past)), 0.0, np.array(liked))


def test_ndcg_of_a_row_leaves_out_what_was_seen() -> None:
    scores = np.array([9.0, 3, 5, 1])
    assert ndcg(scores, question(2, seen=(0,))) == pytest.approx(1.0)
    assert ndcg(scores, question(1, seen=(0,))) == pytest.approx(1 / np.log2(3))
    assert ndcg(scores, question(1, 3)) == pytest.approx((1 / np.log2(4) + 1 / np.log2(5)) / (1 + 1 / np.log2(3)))


def test_a_blend_takes_the_parts_that_help_and_no_others() -> None:
    exam = Exam([question(0), question(0, seen=(1,)), question(2, seen=(0,))], 4)
    good, noise = Popular(np.array([3.0, 0, 2, 1], np.float32)), Popular(np.array([0.0, 5, 0, 1], np.float32))
    assert picked({"noise": noise, "good": good}, exam) == {"good": 1.0}
    assert picked({"noise": noise, "good": good}, Exam([], 4)) == {"noise": 1.0}


def test_the_best_setting_is_taken_of_those_that_time_allows() -> None:
    times = iter([0.0, 0.0, 9.0, 9.0, 9.0])
    budget = Budget(10, clock=lambda: next(times))
    assert best_of([1, 2, 3], float, budget) == 2
    assert best_of([1, 2, 3], float, Budget(60)) == 3
