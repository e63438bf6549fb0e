"""A log goes on by what came of its lists: it is cut anew, and what came last judges."""

import json

import numpy as np
import polars as pl

from windlass.kinds import table as kinds
from windlass.outputs.items import continued as module
from windlass.outputs.items.continued import continued
from windlass.outputs.labelled_row import LabelledRow
from windlass.outputs.splitting import Cleaning
from windlass.spec import parse

from .shop import DAY, SPEC, START, events

KIND = kinds.get("items")


def collected(rows):
    users = dict.fromkeys(row["user"] for row in rows)
    told = [[row for row in rows if row["user"] == user] for user in users]
    weights = {"buy": 5, "view": 1}
    values = []
    for own in told:
        items, times = [row["item"] for row in own], [row["time"] for row in own]
        said = {
            "user": own[0]["user"],
            "items": items,
            "times": times,
            "weights": [weights[row["event"]] for row in own],
        }
        values.append(json.dumps({**said, "whole": True}))
    return pl.DataFrame({"history": values, "recommended": [""] * len(values), "_split": [""] * len(values)})


def taught(number, user, items, at, before=()):
    past = {"user": user, "items": list(before)} if user else list(before)
    after = {"items": items, "times": [at + place for place in range(len(items))], "weights": [5] * len(items)}
    return LabelledRow({"history": json.dumps(past)}, json.dumps(after), answer=f"a{number}", at=at)


def times(frame):
    return [each for column in ("history", "recommended") for value in frame[column]
            for each in KIND.read(value, None).times]  # fmt: skip


def test_what_came_last_judges_and_all_before_it_is_learned(monkeypatch):
    """Two buyers a day for ten days after the log: the smallest cut with enough of them is the latest one."""
    monkeypatch.setattr(module, "ENOUGH_USERS", 8)
    end = max(row["time"] for row in events())
    rows = [taught(n, f"u{40 + n}", [f"i{n % 15}", f"i{(n + 1) % 15}"], end + (1 + n // 2) * DAY) for n in range(20)]
    parts = continued(collected(events()), rows, parse(SPEC), cleaning := Cleaning())
    assert len(parts["test"]) >= 8
    learned = [*times(parts["train"]), *times(parts["validation"])]
    asked = [KIND.read(value, None).times for value in parts["test"]["recommended"]]
    assert max(learned) <= min(min(each) for each in asked)
    assert max(learned) > end  # of what came since, all but the latest is learned
    assert cleaning.warnings[0] == "what came of 20 lists since is part of the log"


def test_what_each_request_tells_again_counts_once():
    """A page sends what is known without a time; a click that was told before is no second one."""
    rows = [taught(n, "u1", ["i1"], START + 200 * DAY, before=["i3", "i4"]) for n in range(5)]
    parts = continued(collected(events()), rows, parse(SPEC), Cleaning())
    own = [KIND.read(frame[column][place], None)
           for frame in parts.values() for column in ("history", "recommended") for place in range(len(frame))
           if KIND.read(frame["history"][place], None).user == "u1"]  # fmt: skip
    pairs = [pair for each in own for pair in zip(each.items, each.times, strict=True)]
    late = {pair for pair in pairs if pair[1] >= START + 200 * DAY}
    assert late <= {("i1", START + 200 * DAY), ("i3", START + 200 * DAY), ("i4", START + 200 * DAY)}
    assert ("i1", START + 200 * DAY) in late


def test_who_has_no_name_is_a_user_for_himself():
    rows = [taught(n, "", ["i1", "i2"], START + (150 + n) * DAY) for n in range(3)]
    before = collected(events())
    assert len(module._joined(before, rows, parse(SPEC))) == len(before) + 3


def test_a_log_without_news_is_cut_as_late_as_it_can_be():
    """Control: with nobody enough, the largest share is the test, as at first."""
    parts = continued(collected(events(20)), [], parse(SPEC), Cleaning())
    assert 0 < len(parts["test"]) < module.ENOUGH_USERS
    assert np.isfinite(times(parts["test"])).all()
