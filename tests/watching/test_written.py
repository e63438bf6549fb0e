"""What a product writes is watched: length, new words, circles, cut texts; and nothing of it is kept."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from windlass.database.connection import database_at
from windlass.database.location import log_path
from windlass.database.request_log import Logged, RequestLog
from windlass.kinds.text_answers import SKETCH
from windlass.outputs import reference_profile
from windlass.outputs import table as outputs
from windlass.predictors.language.writing import Written
from windlass.predictors.writer import Writer
from windlass.records import Answer, Column, Manifest, Splits
from windlass.registry import reference, releases
from windlass.spec import parse
from windlass.store.store import Store
from windlass.watching.check import Watcher

DAY, START, ROWS = 86_400.0, 20_000 * 86_400.0, 300
SPEC = "name: helper\ndata: rows.csv\ninputs: {message: text}\noutput: {reply: text}\n"
WORDS = (
    "we",
    "send",
    "your",
    "parcel",
    "on",
    "monday",
    "and",
    "the",
    "money",
    "comes",
    "back",
    "to",
    "you",
    "in",
    "week",
)


class Speaker:
    """Writes some words by chance. new: share of words that nobody wrote before; circles, cut: shares of the texts."""

    is_generating = False

    def __init__(self, seed=1, new=0.0, circles=0.0, cut=0.0, length=12):
        self.random = np.random.default_rng(seed)
        self.new, self.circles, self.cut, self.length = new, circles, cut, length

    def say(self):
        random = self.random
        words = [
            f"zo{random.integers(99)}rk" if random.random() < self.new else WORDS[random.integers(len(WORDS))]
            for _ in range(random.integers(self.length - 6, self.length + 6))
        ]
        text = " ".join(words[:3] * 8 if random.random() < self.circles else words)
        return Written(text, "length" if random.random() < self.cut else "stop", logprob=-3.0, n_tokens=30)

    def write(self, rows, how, hear):
        return [self.say() for _ in rows]

    def nats(self, rows, texts):
        return None


def frame(rows, seed):
    speaker = Speaker(seed)
    return pl.DataFrame(
        {"message": [speaker.say().text for _ in range(rows)], "reply": [speaker.say().text for _ in range(rows)]}
    )


@dataclass
class Product:
    store: Store
    now: float = START

    def __post_init__(self):
        spec = parse(SPEC)
        splits = Splits(spec.inputs, spec.output, frame(300, 5), frame(20, 6), frame(200, 7), Path())
        manifest = Manifest("toy", "toy", (Column("message", "text"),), Column("reply", "text"))
        folder = releases.folder(self.store, "toy-1")
        reference.write(folder, reference_profile.make(outputs.get("text"), splits, Writer(manifest, Speaker(8))))
        self.spec, self.reference, self.asking = spec, reference.read(folder), Speaker(9)

    def day(self, speaker):
        answers = []
        for number in range(ROWS):
            answer = Writer.answer(Writer(Manifest("toy", "toy", (), Column("reply", "text")), speaker), [{}])[0]
            profile = self.reference.profile({"message": self.asking.say().text}, answer)
            at = self.now + (number + 0.5) * DAY / ROWS
            answers.append(Logged(f"{at}", at, "toy-1", answer.value, answer.confidence, 1.0, None, "", profile))
        with RequestLog(log_path(self.store)) as log:
            log.record(answers, 128)
        self.now += DAY

    def alarms(self):
        found = Watcher(self.spec, self.store, database_at(log_path(self.store)), self.now + 10).look()
        return {(alarm.name, alarm.subject, alarm.evidence["trait"]) for alarm in found.alarms}


@pytest.mark.parametrize(
    ("speaker", "wanted"),
    [
        (Speaker(20), set()),
        (Speaker(20, new=0.3), {("drift", "reply")}),
        (Speaker(20, length=40), {("drift", "reply")}),
        (Speaker(20, circles=0.3), {("drift", "reply")}),
        (Speaker(20, cut=0.2), {("data", "reply")}),
    ],
    ids=["steady", "new words", "longer", "in circles", "cut"],
)
def test_what_changed_in_the_texts_is_told_and_nothing_else(tmp_path, speaker, wanted):
    own = Product(Store(tmp_path))
    for _ in range(2):
        own.day(speaker)
    found = own.alarms()
    assert {each[:2] for each in found} == wanted
    kept = "".join(path.read_text() for path in (tmp_path / ".windlass" / "watch").glob("*.json"))
    assert "parcel" not in kept


def test_a_profile_says_length_circles_cut_and_confidence_by_hand():
    """`a b c` eight times: 24 words have 21 runs of four, 3 of them different: 18 / 21 = .857 is 9 tenths, code 10."""
    state = SKETCH.learn(iter(["a b c d"]))
    plain, circles = (
        SKETCH.profile(Answer("a b c d", None), state),
        SKETCH.profile(Answer(" ".join("abc" * 8), 0.5, is_cut=True), state),
    )
    assert plain[-3:] == [1, 1, 0]
    assert circles[-3:] == [10, 2, 6]
    names = [trait.name for trait in SKETCH.traits(state)]
    assert names[-3:] == ["said again and again", "cut at a limit", "confidence"]
