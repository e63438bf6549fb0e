"""A toy output that the package does not know: an answer is a colour, three whole numbers from 0 to 255.

It is the way to add an output: a kind, an `Output`, a learner, a predictor, and one line in each table (`installed`).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.tables import with_line
from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.contract import Kind, is_missing, shown
from windlass.kinds.sketch import Sketch, Trait
from windlass.learners import table as learners
from windlass.learners.contract import Budget, Fitted, Learner, Options
from windlass.metrics.measures import Array, Estimate, Marks
from windlass.outputs import table as outputs
from windlass.outputs.comparison import Paired, PairedAnswers, PairedScores, by_chance
from windlass.outputs.contract import (
    Baseline,
    Held,
    Kept,
    Output,
    Scored,
    Seen,
    Shown,
    Tested,
    Uncertainty,
    Unsupported,
    Validated,
    Why,
)
from windlass.outputs.reference_profile import answered, kept_rows
from windlass.outputs.splitting import STRATUM, SplitMethod, train_validation_test
from windlass.outputs.trust import Opinion
from windlass.pages.html.sections import Section
from windlass.pages.text.words import escaped
from windlass.predictors import table as predictors
from windlass.predictors.artifact import N_GOLDEN, write_golden, write_manifest
from windlass.predictors.contract import read_value
from windlass.records import Answer, Column, Explanation, Json, Manifest, Part, Progress, Row, Splits
from windlass.store.json_files import read_json, write_json

# the kind ------------------------------------------------------------------------------------------------------------

HEX = re.compile(r"#[0-9a-f]{6}")
MOST, RIGHT = 255, 24
"""The largest number; answers whose numbers are as near on average count as right."""


def check(value: Any) -> str | None:
    if is_missing(value):
        return None
    try:
        found = _numbers(value)
    except (ValueError, TypeError):
        found = []
    whole = len(found) == 3 and all(isinstance(each, int) and not isinstance(each, bool) for each in found)
    return None if whole and all(0 <= each <= MOST for each in found) else f"is {shown(value)}, expected a colour"


def _numbers(value: Any) -> list[Any]:
    if isinstance(value, str) and HEX.fullmatch(value.strip().lower()):
        return list(bytes.fromhex(value.strip()[1:]))
    found = json.loads(value) if isinstance(value, str) else value
    return list(found) if isinstance(found, list | tuple) else []


def read(value: Any, root: Path | None) -> list[int] | None:
    if fault := check(value):
        raise DataError(f"colour {fault}")
    return None if is_missing(value) else _numbers(value)


def clean(value: Any, root: Path | None) -> str:
    """As the table of rows keeps it: `#rrggbb`."""
    found = read(value, root)
    return "" if found is None else "#" + bytes(found).hex()


def bright(value: Sequence[float]) -> float:
    return float(np.mean(value))


SKETCH = Sketch(
    lambda values: {},
    lambda answer, state: [1 + int(bright(answer.value) // 32)],
    lambda state: (Trait("brightness", "ordered", 0, 10),),
)
KIND = Kind(
    name="colour",
    forms=(),
    check=check,
    read=read,
    fit=lambda values, form, options: {},
    encode=lambda values, state: np.array(values, np.float32),
    clean=clean,
    sketch=Sketch(lambda values: {}, lambda value, state: [0 if value is None else 1], lambda state: ()),
    answers=SKETCH,
    claims=lambda values: bool(values) and all(isinstance(value, str) and HEX.fullmatch(value) for value in values),
)

# who answers, and who learns -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Painter:
    """The mean colour of the words of a row that training knows, else of all rows."""

    manifest: Manifest
    words: Mapping[str, Sequence[float]]
    usual: Sequence[float]

    def answer(self, rows: Sequence[Row], root: Path | None = None) -> list[Answer]:
        return [Answer(value, None) for value in self.colours(rows, root).round().astype(int).tolist()]

    def colours(self, rows: Sequence[Row], root: Path | None = None) -> Array:
        name = self.manifest.inputs[0].name
        texts = [read_value(kinds.get("text").read, row, name, number, root) for number, row in enumerate(rows)]
        found = [[self.words[word] for word in text.split() if word in self.words] for text in texts]
        return np.array([np.mean(each or [self.usual], axis=0) for each in found], float).reshape(-1, 3)

    def marks(self, rows: Sequence[Row], truth: Sequence[Any], root: Path | None = None) -> Marks:
        return ColourMarks(self.colours(rows, root), np.array([read(value, None) for value in truth], float))

    def difference(self, rows: Sequence[Row], wanted: Sequence[Any]) -> float:
        return float(np.abs(self.colours(rows) - np.array(wanted)).max() / MOST) if rows else 0.0

    def gap(self, answer: Json, wanted: Any) -> float:
        return float(np.abs(np.array(answer["value"]) - np.round(wanted)).max() / MOST)


def load(folder: Path, manifest: Manifest) -> Painter:
    found: Any = read_json(folder / "palette.json")
    return Painter(manifest, found["words"], found["usual"])


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """The mean colour of each word that hardly varies."""
    name, output = next(iter(splits.inputs)), splits.output_column
    rows = [(row[name].split(), read(row[output], None)) for row in splits.train.to_dicts()]
    usual = np.mean([colour for _, colour in rows], axis=0).tolist()
    words: dict[str, list[Any]] = {}
    for said, colour in rows:
        for word in said:
            words.setdefault(word, []).append(colour)
    means = {word: np.mean(found, axis=0).tolist() for word, found in words.items()
             if len(found) > 2 and np.std(found, axis=0).mean() < MOST / 10}  # fmt: skip
    column = Column(output, "colour")
    manifest = Manifest("palette", "words", (Column(name, "text"),), column)
    options.artifact.mkdir(parents=True, exist_ok=True)
    write_json(options.artifact / "palette.json", {"words": means, "usual": usual})
    write_manifest(options.artifact, manifest)
    painter = Painter(manifest, means, usual)
    held = splits.validation.to_dicts()
    golden = [{name: row[name]} for row in held[:N_GOLDEN]]
    write_golden(options.artifact, golden, painter.colours(golden))
    return Fitted(options.artifact, painter.marks(held, [row[output] for row in held]).value("closeness"))


WORDS = Learner("words", "the mean colour of its words", frozenset({"text"}), frozenset({"colour"}), fit, cost=1)

# what an answer lives through ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ColourMarks:
    """given, right: (n, 3) float."""

    given: Array
    right: Array
    calibration_error: float | None = None

    def __len__(self) -> int:
        return len(self.right)

    @property
    def metrics(self) -> tuple[str, ...]:
        return ("closeness",)

    @property
    def each(self) -> Array:
        """(n,) 1 where the colour is the same, 0 where it is as far as can be."""
        return np.asarray(1 - np.abs(self.given - self.right).mean(axis=1) / MOST)

    def value(self, metric: str, rows: Array | None = None) -> float:
        return float((self.each if rows is None else self.each[rows]).mean())

    def exact(self, metric: str) -> Estimate | None:
        return None


def marks(predictor: Any, rows: Sequence[Row], held: Held) -> Marks:
    return predictor.marks(rows, [row[held.spec.output_column] for row in rows], held.root)


def baseline(tested: Tested) -> Baseline | None:
    right = next(iter(tested.marks.values())).right
    usual = np.mean([read(value, None) for value in tested.splits.train[tested.splits.output_column]], axis=0)
    always = ColourMarks(np.tile(usual, (len(right), 1)), right)
    return Baseline("always answering the mean colour", always.value(tested.metric))


def sections(shown: Shown) -> list[Section]:
    worst = np.argsort(shown.marks.each)[:3].tolist()
    lines = "".join(f"<li>{escaped(shown.examples[row])}</li>" for row in worst)
    return [Section("colours", "The furthest colours", f"<ol>{lines}</ol>")]


def explain(predictor: Painter, row: Row, number: int, why: Why) -> Explanation:
    """What each word adds to the brightness, against the usual one."""
    name = predictor.manifest.inputs[0].name
    total = bright(predictor.colours([row], why.root)[0])
    said = [word for word in str(row[name]).split() if word in predictor.words]
    base = bright(predictor.usual)
    parts = tuple(Part(name, word, (bright(predictor.words[word]) - base) / len(said)) for word in said)
    label = why.answer or json.dumps(predictor.answer([row], why.root)[0].value)
    return Explanation(label, None, "mean of words", "levels of brightness", base, total, True, 1, parts)


def seen(predictor: Any, rows: Sequence[Kept], splits: Splits) -> Seen:
    given = answered(predictor, [row for row, _ in rows], splits.root)
    column = Column(splits.output_column, "colour", {})
    return Seen({"right_within": RIGHT}, column, [SKETCH.profile(answer, {}) for answer in given])


def is_right(value: Any, correct: Any, answers: Json) -> bool:
    return bool(np.abs(np.array(value) - np.array(correct)).mean() <= answers.get("right_within", 0))


class ColourSheet(PairedAnswers):
    """Champion and challenger on rows whose colours are known."""

    parts_are = ("colours", "colour")

    def __init__(self, pair: Any, pairs: Any, metric: str, root: Path) -> None:
        rows, truth = [row for row, _ in pairs], [right for _, right in pairs]
        self.both = [each.marks(rows, truth, root) for each in pair]

    def paired(self, name: str, chosen: Array) -> Paired:
        before, after = (found.each[chosen] for found in self.both)
        if not len(before):
            return PairedScores(name, 0, 0.0, 0.0, 0, 0, "closeness")
        chance = by_chance(before, after), by_chance(after, before)
        won, lost = int((after > before).sum()), int((after < before).sum())
        return PairedScores(name, len(before), before.mean(), after.mean(), won, lost, "closeness", chance)

    def marks(self, chosen: Array) -> tuple[Marks, Marks]:
        before, after = (ColourMarks(found.given[chosen], found.right[chosen]) for found in self.both)
        return before, after

    def parts(self) -> list[tuple[str, Array]]:
        return [("dark", self.both[0].right.mean(axis=1) < MOST / 2)]


def opinion(rows: Sequence[Any], champion: Any, known: Any, spec: Any) -> Opinion:
    """Nothing is doubted."""
    no = np.zeros(len(rows), bool)
    return Opinion([row.said for row in rows], no, no, no, np.zeros(len(rows)))


OUTPUT = Output(
    kind="colour",
    metrics=("closeness",),
    headline=lambda spec: "closeness",
    learned=lambda metric: metric,
    check=lambda spec, goal: None,
    split=lambda rows, spec, cleaning, random: {
        name: part.drop(STRATUM)
        for name, part in train_validation_test(
            rows.with_columns(rows[spec.output_column].str.head(1).alias(STRATUM)),
            SplitMethod(spec, STRATUM),
            cleaning,
            random,
        ).items()
    },
    counts=lambda splits, column: {},
    warn=lambda train, spec, cleaning: None,
    check_rows=lambda spec, splits: None,
    check_tests=lambda rows, spec: None,
    tune_decision=lambda folder, splits, spec, metric: None,
    marks=marks,
    validated=lambda predictor, folder, splits, held: Validated(
        marks(predictor, splits.validation.to_dicts(), held), np.arange(len(splits.validation))
    ),
    baseline=baseline,
    sections=sections,
    advice=lambda marks, misses: ["Look at the furthest colours."],
    picked=lambda predictor, rows, splits: [("first", row) for row in rows[:2]],
    explain=explain,
    kept=kept_rows,
    seen=seen,
    named=lambda value: "",
    is_right=is_right,
    answer_schema=lambda column: {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": MOST}},
    feedback_schema=lambda column: {"type": ["array", "string"]},
    example=lambda column: [255, 128, 0],
    kept_as=json.dumps,
    value_of=json.loads,
    widget=lambda manifest: {"answer": "colour", "verb": "find", "labels": []},
    same=lambda one, other: one == other,
    teaches=lambda given, right: True,
    unfit=lambda rows, train, spec: list(rows),
    opinion=opinion,
    compare=ColourSheet,
    doubts=lambda champion, rows: [Uncertainty(row["value"], 0.0, 0.0) for row in rows],
    improves=lambda spec: None,
    scored=lambda marks, metric, splits: Scored(metric, marks),
    proposals=Unsupported("answers are colours here"),
    compares=Unsupported("colours are compared by `evaluate`"),
)


@contextmanager
def installed() -> Iterator[None]:
    """One line in each table."""
    with ExitStack() as stack:
        for tables, name, line in (
            (kinds.KINDS, "colour", KIND),
            (outputs.OUTPUTS, "colour", lambda: OUTPUT),
            (learners.LEARNERS, "words", WORDS),
            (predictors.FORMATS, "palette", load),
        ):
            stack.enter_context(with_line(tables, name, line))
        yield


COLOURS = {"red": (200, 30, 30), "green": (40, 180, 60), "blue": (30, 60, 200), "yellow": (230, 220, 40),
           "white": (240, 240, 240), "black": (15, 15, 15)}  # fmt: skip
THINGS = ("coat", "car", "door", "chair", "cup", "house", "lamp", "bag", "ship", "hat")


def rows_of(n_rows: int, seed: int = 3, colours: Mapping[str, tuple[int, ...]] = COLOURS) -> Iterable[tuple[str, str]]:
    """(what is described, its colour): the named colour, a little off."""
    random = np.random.default_rng(seed)
    for number in range(n_rows):
        name, thing = list(colours)[number % len(colours)], THINGS[int(random.integers(len(THINGS)))]
        mixed = np.clip(np.array(colours[name]) + random.integers(-12, 13, 3), 0, MOST)
        yield f"a {name} {thing} number {number}", "#" + bytes(mixed.astype(np.uint8).tolist()).hex()
