"""A product whose log is written by the test: rows of a known source, at known times, with answers and feedback."""

from pathlib import Path
from typing import Any

import numpy as np

from windlass.database.location import log_path
from windlass.database.request_log import Feedback, Logged, RequestLog, Requests
from windlass.records import Column, Health
from windlass.registry import reference, releases
from windlass.registry.reference import Reference, sketch_of
from windlass.spec import Spec, parse
from windlass.store.store import Store
from windlass.watching.check import Watcher

DAY = 86_400.0
START = 20_000 * DAY
WORDS = ("card", "lost", "refund", "money", "address", "please", "where", "stolen", "change", "account", "my", "the")
NEW = ("drone", "battery", "firmware", "propeller", "gimbal", "charger", "remote", "crash")
SPEC = """
name: desk
data: rows.csv
inputs: {message: text, amount: number, shop: category}
output: {intent: category}
watch: {hand_over_below: 0.6}
"""


class Source:
    """Rows by chance. new_words: share of words that training did not know; shift: of the amount, in deviations.

    missing: share of rows without an amount. wrong: how much less often an answer is right than it is sure.
    """

    def __init__(
        self, seed: int = 1, new_words: float = 0.0, shift: float = 0.0, missing: float = 0.0, wrong: float = 0.0
    ) -> None:
        self.random = np.random.default_rng(seed)
        self.new_words, self.shift, self.missing, self.wrong = new_words, shift, missing, wrong

    def row(self) -> dict[str, Any]:
        random = self.random
        words = [
            NEW[random.integers(8)] if random.random() < self.new_words else WORDS[random.integers(12)]
            for _ in range(random.integers(3, 12))
        ]
        amount = None if random.random() < self.missing else float(random.normal(50 + 10 * self.shift, 10))
        return {"message": " ".join(words), "amount": amount, "shop": ("web", "street", "phone")[random.integers(3)]}

    def answer(self) -> tuple[str, float, bool]:
        """A label, how sure, and whether it is right: as often as it is sure."""
        sure = float(self.random.beta(8, 2))
        label = ("card", "refund", "address")[self.random.integers(3)]
        return label, sure, bool(self.random.random() < sure - self.wrong)


class Replay:
    def __init__(self, folder: Path, changes: str = "", seed: int = 0) -> None:
        self.store = Store(folder)
        self.spec: Spec = parse(SPEC.replace("hand_over_below: 0.6", f"hand_over_below: 0.6{changes}"))
        self.now = START
        self.reference = self._reference("toy-1", seed)
        self.ids = 0

    def _reference(self, release: str, seed: int) -> Reference:
        source = Source(1_000 + seed)
        train, kept = ([source.row() for _ in range(1_000)] for _ in range(2))
        columns = []
        for name, kind in self.spec.inputs.items():
            state = sketch_of(Column(name, kind)).learn(_read(kind, row[name]) for row in train)
            column = Column(name, kind, state)
            profiles = [sketch_of(column).profile(_read(kind, row[name]), state) for row in kept]
            columns.append({"name": name, "kind": kind, "state": state, "profiles": profiles})
        given = [source.answer() for _ in kept]
        answers = {
            "mix": {label: sum(each[0] == label for each in given) for label in ("card", "refund", "address")},
            "confidence": [sure for _, sure, _ in given],
            "right": [int(right) for *_, right in given],
        }
        folder = releases.folder(self.store, release)
        reference.write(folder, {"format": 1, "columns": columns, "answers": answers})
        found = reference.read(folder)
        assert found is not None
        return found

    def day(self, source: Source, rows: int = 300, told: float = 0.0, only_wrong: bool = False, **changes: Any) -> None:
        """One day of answers, evenly spread; a share `told` of them (of the wrong ones) gets feedback.

        changes: fields of each answer.
        """
        answers, said = [], []
        for number in range(rows):
            value, sure, right = source.answer()
            self.ids += 1
            fields = {"value": value, "confidence": sure, "latency_ms": 1.0 + source.random.random()} | changes
            id = f"answer-{self.ids}"
            at = self.now + (number + 0.5) * DAY / rows
            profile = self.reference.profile(source.row())
            answers.append(Logged(id=id, at=at, release="toy-1", inputs=None, profile=profile, **fields))
            if source.random.random() < told and not (right and only_wrong):
                said.append(Feedback(id, "", None, "", right))
        self.write(answers, said)
        self.now += DAY

    def count(self, answered: int, refused: int = 0, failed: int = 0) -> None:
        """What the service counted in the middle of the last day."""
        with RequestLog(log_path(self.store)) as log:
            log.count(Requests(self.now - DAY / 2, answered, refused, failed))

    def write(self, answers: list[Logged], said: list[Feedback]) -> None:
        with RequestLog(log_path(self.store), clock=lambda: self.now + DAY / 2) as log:
            for start in range(0, len(answers), 200):
                log.record(answers[start : start + 200], 128)
            for feedback in said:
                log.feedback(feedback).result(60)

    def health(self) -> Health:
        """A look, a few seconds after the last answer."""
        return Watcher(self.spec, self.store, self.place, self.now + 10).look()

    @property
    def place(self) -> Any:
        from windlass.database.location import memory

        return memory(self.store)


def _read(kind: str, value: Any) -> Any:
    from windlass.kinds import table as kinds

    return kinds.get(kind).read(value, None)
