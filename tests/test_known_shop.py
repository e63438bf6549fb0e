"""The shop and the news feed whose truth is known: what oracle and naive model reach, fixed before any learner."""

import csv
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from windlass.blueprints import catalogue

TOOLS = Path(__file__).resolve().parent.parent / "tools"


def tool(name):
    sys.path.insert(0, str(TOOLS))
    try:
        return importlib.import_module(f"make_{name}")
    finally:
        sys.path.remove(str(TOOLS))


shop, news = tool("shop_recommender"), tool("news_feed")


@pytest.fixture(scope="module")
def made():
    there = shop.world()
    return there, shop.history(there)


@pytest.fixture(scope="module")
def feed():
    there = news.world()
    return there, news.logged(there)


def kept(name):
    with (shop.TARGET / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_naive_recommendation_has_at_most_sixty_percent_of_the_oracles_gain(made):
    found = shop.scores(*made)
    readme = (catalogue.HOME / "shop-recommender" / "README.md").read_text(encoding="utf-8")
    assert 0 < found["naive_share_of_gain"] <= 0.6
    for name in ("oracle", "same_department", "recent_popularity", "popularity"):
        assert f"| {found[name]:.3f} |" in readme
    assert f"{found['n_asked']} customers" in readme


def test_the_events_are_what_the_tool_draws_and_small(made):
    """Compared as rows: the last digit of a price may depend on the machine's exponential, which events do not."""
    rows = [list(row.values()) for row in kept("events.csv")]
    assert rows == shop.event_rows(*made)
    assert sum(path.stat().st_size for path in shop.TARGET.iterdir()) <= 850_000
    items = kept("items.csv")
    assert items == [shop.item_row(made[0], int(item)) for item in np.flatnonzero(made[0].arrived < shop.N_DAYS)]


def test_the_files_hold_no_truth_that_a_shop_would_not_have():
    assert set(kept("events.csv")[0]) == {"user", "item", "event", "time"}
    assert not {"style", "quality", "liking"} & set(kept("items.csv")[0])


def test_every_item_has_both_languages_and_no_two_have_one_title():
    items = kept("items.csv")
    for row in items:
        assert not any("\u4e00" <= letter <= "\u9fff" for letter in row["title"] + row["description"])
        assert not any("a" <= letter.lower() <= "z" for letter in row["title_zh"] + row["description_zh"])
    for column in ("title", "title_zh"):
        assert len({row[column] for row in items}) == len(items)


def test_nobody_clicks_twice_or_what_is_not_there(made):
    there, events = made
    liked = events.liked
    assert len(set(zip(liked.users.tolist(), liked.items.tolist(), strict=True))) == len(liked.users)
    days = (events.seconds // 86_400).astype(int)
    late = days < shop.N_DAYS  # a visit late in the evening may end on the next day
    assert (there.arrived[events.items[late]] <= days[late]).all()
    pairs = {
        word: set(zip(events.users[events.words == word], events.items[events.words == word], strict=True))
        for word in ("click", "buy")
    }
    assert pairs["buy"] <= pairs["click"]


def test_ndcg_is_that_of_a_hand_calculation():
    """Two of three wanted, at the places 1 and 3: (1 + 1/2) / (1 + 1/log2(3) + 1/2); what was seen is passed over."""
    scores = np.array([[9.0, 5, 4, 3, 2, 1, 0, -1, -2, -3, -4, -5, -6]])
    before, after = np.zeros((2, 1, 13), dtype=bool)
    before[0, 0] = True
    after[0, [1, 3, 12]] = True
    found = shop.ndcg(scores, shop.Asked(np.array([0]), before, after, 0, 1))
    assert found == pytest.approx([1.5 / (1.5 + 1 / np.log2(3))])


def test_clicks_come_as_often_as_the_law_says(made):
    """Of all looks of a day the mean chance of a click, held against clicks."""
    there, events = made
    is_view = events.words == "view"
    days = (events.seconds // 86_400).astype(int)
    expected = [
        there.click_chance(np.array([user]), int(day))[0, item]
        for user, item, day in zip(
            events.users[is_view][::5], events.items[is_view][::5], days[is_view][::5], strict=True
        )
    ]
    share = (events.words == "click").sum() / is_view.sum()
    assert np.mean(expected) == pytest.approx(share, abs=0.02)


def test_the_newest_first_has_at_most_sixty_percent_of_the_oracles_gain(feed):
    found = news.scores(*feed)
    assert found["oracle"] == pytest.approx(1.7985, abs=5e-4)
    assert found["newest"] == pytest.approx(1.2376, abs=5e-4)
    assert found["popularity"] == pytest.approx(0.6934, abs=5e-4)
    assert 0 < found["naive_share_of_gain"] <= 0.6


def test_articles_stand_at_their_places_as_often_as_the_log_says(feed):
    """The sum of 1 / chance over all that was shown at a place is the size of the pools, but for chance."""
    _, slates = feed
    sizes = np.array([len(pool) for pool in slates.pools])
    for place in (0, 4, 9):
        assert (1 / slates.propensities[:, place]).sum() == pytest.approx(sizes.sum(), rel=0.05)


def test_slates_of_chance_show_how_places_are_looked_at(feed):
    """The known curve, of clicks on slates that were filled by chance alone."""
    _, slates = feed
    by_chance = (slates.articles != slates.ranked).any(axis=1)
    rates = slates.clicked[by_chance].mean(axis=0)
    assert rates[1:4].mean() / rates[0] == pytest.approx(news.LOOKED[1:4].mean(), rel=0.15)


def test_the_feed_is_written_in_two_languages(feed):
    rows = news.article_rows(feed[0])
    assert len(rows) == len(feed[0].born)
    assert {row["topic"] for row in rows} == set(news.TOPICS)
    assert all("{" not in row["title"] + row["title_zh"] for row in rows)
