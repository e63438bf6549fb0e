"""A plan for ranked lists names what was measured or counted of them, and nothing where nothing was."""

import pytest

from windlass.records import Board
from windlass.spec import from_values

from .conftest import candidate
from .test_items import FLAT, RISING, by_id, ids

SPEC = {"name": "shop", "data": "events.csv", "inputs": {"history": "items"}, "output": {"recommended": "items"},
        "group": "user", "goal": "macro_f1 >= 0.8"}  # fmt: skip


@pytest.fixture
def shop(setting):
    """A shop of which `items` is said, with so many liked items of no event and so many users of whom little is known,
    of 100 each."""

    def made(items=None, unseen=0, cold=0, **evidence):
        details = {"targets": 100, "unseen_targets": unseen, "users": {"cold": {"users": cold}, "warm": {
            "users": 100 - cold}}}  # fmt: skip
        board = Board("shop", "macro_f1", "macro_f1 >= 0.8", {}, "cnn", "", [candidate()], [], 400, "a machine",
                      details=details)  # fmt: skip
        spec = from_values({**SPEC, "items": {"item": "item", **(items or {})}}, "a")
        return setting({"wrong_cost": 0.0, "right_value": 0.0}, board=board, spec=spec, **evidence)

    return made


EXPLORES = {"explore": {"epsilon": 0.05}}


def test_where_nothing_was_found_nothing_is_proposed(shop):
    assert ids(shop(EXPLORES)) == []


def test_nightly_learning_is_worth_what_older_events_lose(shop):
    gain = {"value": 0.03, "low": 0.01, "high": 0.05}
    found = by_id(shop(EXPLORES, freshness={"gain": gain, "days": 38.0}), "nightly")
    assert (found.gain.value, found.sure) == (0.03, "measured")
    assert "a model that is 38 days older scores -3.0 points [-5.0, -1.0]" in found.why


@pytest.mark.parametrize(("found", "words"), [(RISING, "(validation rows)"), (FLAT, "nearly stopped rising")])
def test_more_users_bring_what_the_curve_says(shop, found, words):
    made = shop(EXPLORES, curve=found[0], points=found[1])
    mine = [name for name in ids(made) if name.startswith("histories-")]
    assert len(mine) == 2
    assert not [name for name in ids(made) if name.startswith("rows-")]
    assert by_id(made, mine[0]).why.endswith(words)


def test_what_no_event_has_shown_asks_for_a_table_and_then_for_places(shop):
    assert ids(shop(EXPLORES, unseen=20)) == ["catalogue"]
    assert ids(shop({**EXPLORES, "catalogue": "items.csv"}, unseen=20)) == ["new-items"]
    assert ids(shop({**EXPLORES, "catalogue": "items.csv", "new": 0.1}, unseen=20)) == []


def test_chance_and_newcomers_are_proposed_where_they_lack(shop):
    assert ids(shop(cold=30)) == ["explore", "newcomers"]
