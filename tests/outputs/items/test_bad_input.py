"""What a log may hold that is wrong: refused, or handled with a word that a person sees."""

import time

import pytest

from windlass.errors import DataError, SpecError
from windlass.evaluation.gate import limit_misses
from windlass.kinds.items import MOST_EVENTS
from windlass.metrics.measures import Estimate
from windlass.outputs import table as outputs
from windlass.pages.text.words import limit_words
from windlass.spec import Limits, from_values

from .shop import DAY, SPEC, START, begun, catalogue, events

RATED = SPEC.replace("event: event, counts: {buy: 5, view: 1, dislike: 0}", "rating: rating, liked: 4")


def collected(folder, rows, spec=SPEC, items=None):
    project = begun(folder, rows, spec, items)
    return project, project.collect()


def test_an_event_that_is_there_twice_counts_once(tmp_path):
    rows = events(8)
    _, found = collected(tmp_path, [*rows, rows[0], rows[0]])
    assert found.reasons == {"an event that is there twice": 2}
    assert (found.rows_in, found.accepted) == (66, 64)


def test_what_is_still_to_come_is_refused(tmp_path):
    later = {"user": "u1", "item": "i1", "time": int(time.time()) + 3 * DAY, "event": "buy"}
    _, found = collected(tmp_path, [*events(8), later])
    assert found.reasons == {"column 'time'": 1}


def test_a_user_who_is_a_program_keeps_the_latest_events(tmp_path):
    bot = [{"user": "bot", "item": f"i{number % 30}", "time": START + number, "event": "view"}
           for number in range(MOST_EVENTS + 5)]  # fmt: skip
    _, found = collected(tmp_path, [*events(8), *bot])
    assert found.reasons == {f"events of a user beyond the latest {MOST_EVENTS:,}": 5}
    assert "user 'bot' has 10,005 events, more than a person makes" in found.warnings[-1]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{**row, "user": "u1"} for row in events(8)], "the log has 1 user, expected at least 2"),
        ([{**row, "item": "i1"} for row in events(8)], "the log has 1 item, expected at least 2"),
        ([{**row, "event": "dislike"} for row in events(8)], "none of 64 events says that an item is wanted"),
    ],
)
def test_what_nothing_can_be_learned_from_is_refused(tmp_path, rows, words):
    project, _ = collected(tmp_path, rows)
    with pytest.raises(DataError, match=words):
        project.prepare()


def test_ids_that_are_numbers_in_one_file_and_text_in_another_are_told(tmp_path):
    """'7' and '007' are two items; the table's own way of writing is named."""
    rows = [{**row, "item": row["item"].replace("i", "00")} for row in events(8)]
    items = [{**row, "item": row["item"].replace("i", "")} for row in catalogue()]
    _, found = collected(tmp_path, rows, items=items)
    assert any("ids are text, write them alike" in each for each in found.warnings)


def test_ratings_that_are_all_equal_are_told(tmp_path):
    rows = [{**{name: row[name] for name in ("user", "item", "time")}, "rating": 5} for row in events(8)]
    _, found = collected(tmp_path, rows, RATED)
    assert any("'rating' is 5 in every event: it tells nothing" in each for each in found.warnings)


def test_an_event_without_a_weight_is_refused_by_name(tmp_path):
    _, found = collected(tmp_path, [*events(8), {"user": "u1", "item": "i1", "time": START, "event": "bye"}])
    assert found.reasons == {"column 'event'": 1}


def test_items_of_the_test_alone_are_counted_beside_the_figure(tmp_path):
    """Of eight users four come late, and all that they buy is new."""
    board = begun(tmp_path, events(16)).run()
    assert board.details["targets"] > 0
    assert f"{board.details['unseen_targets']:,} of {board.details['targets']:,} liked items" in board.warnings[0]


VALUES = {"name": "a", "data": "a.csv", "inputs": {"history": "items"}, "output": {"recommended": "items"}}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"items": {"item": "item"}}, "'group' is not given, expected the column of users"),
        ({"items": {"item": "item", "rating": "stars"}, "group": "user"}, "'items.liked' is not given"),
        ({"items": {"item": "item", "candidates": 100}}, "expected 'all': among a sample of the items"),
        ({"items": {"item": "item", "counts": {"buy": -1}}}, "expected weights of 0 or more"),
        ({"inputs": {"history": "items", "age": "number"}}, "expected one history"),
        ({"goal": "auc >= 0.9"}, "metric 'auc', expected"),
    ],
)
def test_a_specification_that_cannot_be_is_refused_by_name(more, words):
    with pytest.raises(SpecError, match=words):
        outputs.goal(from_values({**VALUES, **more}, "a"))


def test_a_list_for_everybody_is_refused_where_coverage_and_tail_have_a_bound():
    limits = Limits(coverage=0.2, tail_share=0.1)
    narrow = {"coverage": Estimate(0.14, 0.1, 0.2), "tail_share": Estimate(0.3, 0.2, 0.4)}
    assert limit_misses(limits, 1.0, 1.0, narrow) == ["coverage is 0.140 [0.100, 0.200], expected at least 0.2"]
    assert limit_misses(limits, 1.0, 1.0, {**narrow, "coverage": Estimate(0.5, 0.4, 0.6)}) == []
    assert limit_words({"coverage": 0.2, "size_mb": 50.0}) == "items that are shown ≥ 0.2, size ≤ 50 MB"
    labels = {"name": "a", "data": "a.csv", "inputs": {"a": "text"}, "output": {"b": "category"}}
    with pytest.raises(SpecError, match=r"'limits\.coverage' is set and output 'b' is category, expected items"):
        outputs.goal(from_values({**labels, "limits": {"coverage": 0.2}}, "a"))
