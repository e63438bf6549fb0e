"""What a release of `improve` is watched against knows what was learned: the alarm about it ends."""

import random
import time

import polars as pl
import pytest

from windlass.database.location import log_path, memory
from windlass.database.request_log import Logged, RequestLog
from windlass.outputs import reference_profile
from windlass.outputs import table as outputs
from windlass.predictors.table import load
from windlass.project import Project
from windlass.records import Recent, Splits
from windlass.registry import reference, releases
from windlass.sources.prepared import read_recent, read_splits
from windlass.watching.check import Watcher

from ..stages.conftest import Product
from .toys import champion, say

DAY = 86_400.0
FILLER = ["please", "help", "me", "with", "this", "today", "since", "it", "is", "urgent", "and", "nobody", "answers"]
NEWS = {
    "drone": ["propeller", "battery", "firmware", "gimbal", "crash", "hover"],
    "garden": ["hose", "seeds", "shovel", "flower", "soil", "fence"],
}
WORDS = {
    "refund": ["money", "back", "return", "amount", "paid", "twice", "charge"],
    "delivery": ["parcel", "package", "late", "courier", "tracking", "arrived"],
    "account": ["password", "login", "locked", "reset", "email", "profile"],
}


def rows(n_rows: int, seed: int, **news: float) -> list[tuple[str, str]]:
    """Messages of three known topics. news: topic -> its share."""
    chance, found = random.Random(seed), []
    for number in range(n_rows):
        label = chance.choices([*news, list(WORDS)[number % 3]], [*news.values(), 1 - sum(news.values())])[0]
        words = chance.sample((WORDS | NEWS)[label], 3) + chance.sample(FILLER, 4)
        found.append((" ".join(words), label))
    return found


def answer(project: Project, since: float, seed: int, **news: float) -> None:
    """Two days of 300 requests, as the service logs them."""
    release = project.champion
    known, asked = reference.read(release.folder), [{"message": text} for text, _ in rows(600, seed, **news)]
    assert known is not None
    answers = [
        Logged(
            f"{since}-{number}",
            since + number * DAY / 300,
            release.id,
            found.value,
            found.confidence,
            1.0,
            row,
            profile=known.profile(row),
        )
        for number, (row, found) in enumerate(zip(asked, release.predict(asked), strict=True))
    ]
    with RequestLog(log_path(project.store)) as log:
        for start in range(0, len(answers), 200):
            log.record(answers[start : start + 200], 256)


def alarms(project: Project, now: float) -> set[tuple[str, str]]:
    found = Watcher(project.spec, project.store, memory(project.store), now).look().alarms
    return {(alarm.name, alarm.subject) for alarm in found}


def test_the_alarm_about_a_topic_ends_with_the_promotion_that_learned_it(tmp_path):
    """Control: against test and validation rows alone, as before, the same answers raise it again."""
    product = Product(tmp_path)
    product.csv(rows(900, 1))
    product.spec(learners=["linear"], keep_inputs=True, improve={"new_labels": 5})
    project, start = Project(tmp_path), time.time() - 20 * DAY
    project.release()
    answer(project, start, 2, drone=0.3)
    assert ("drift", "message") in alarms(project, start + 2.1 * DAY)

    say(project, rows(200, 3, drone=0.3))
    made = project.improve()
    assert made.verdict == "promoted", made.why
    later = start + 5 * DAY
    answer(project, later, 4, drone=0.3)
    assert alarms(project, later + 2.1 * DAY) == set()
    answer(project, later + 3 * DAY, 5, drone=0.3, garden=0.2)
    assert ("drift", "message") in alarms(project, later + 5.1 * DAY), "nobody has taught that"

    folder = releases.folder(project.store, made.challenger)
    project.prepare()
    known = read_recent(project.store)
    assert known is not None
    assert {row["intent"] for row in known.judging} == {*WORDS, "drone"}
    splits = read_splits(project.spec, project.store)
    before = reference_profile.make(outputs.get("category"), splits, load(folder / "model"))
    reference.write(folder, before)
    (project.store.stage("watch") / "state.json").unlink()
    assert {("drift", "message"), ("drift", "intent")} <= alarms(project, later + 2.1 * DAY)


@pytest.mark.parametrize(
    ("n_asked", "wanted"),
    [(200, {"account": 120, "refund": 120}), (99, {"account": 60, "delivery": 60, "refund": 120})],
    ids=["as asked", "too little asked"],
)
def test_each_label_is_there_as_often_as_it_is_asked_for(tmp_path, n_asked, wanted):
    """Half of what is asked is about money, none about parcels; else half as came in use, half as was known before.

    Of money 120 rows are known, which are half of 240. 90 of them were learned: how sure the model is of those, and
    that it is right, says nothing.
    """
    knows = champion(tmp_path / "model")
    old = pl.DataFrame({"message": ["password", "parcel"] * 120, "intent": ["account", "delivery"] * 120})
    splits = Splits({"message": "text"}, {"intent": "category"}, old, old.head(0), old, tmp_path)
    told = [{"message": "money", "intent": "refund"}] * 120
    asked = [{"message": ("money", "password")[number % 2]} for number in range(n_asked)]
    content = reference_profile.make(outputs.get("category"), splits, knows, Recent(told[:90], told[90:], asked))
    assert content["answers"]["mix"] == wanted
    assert len(content["columns"][0]["profiles"]) == 240
    assert len(content["answers"]["confidence"]) == len(content["answers"]["right"]) == 150
