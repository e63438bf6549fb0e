"""What an output is: all that an answer of a kind lives through, from the split of its rows to a person's correction.

One record a kind of answer. Stages, serving, watching, improving, planning and pages ask it and nothing else; what
makes no sense for an output is an `Unsupported`, whose sentence the user sees.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from windlass.errors import SpecError
from windlass.explain.occlusion import Effort
from windlass.goals import Goal
from windlass.kinds import table as kinds
from windlass.metrics.measures import Marks
from windlass.metrics.proportions import Proportion
from windlass.outputs.labelled_row import LabelledRow, Pairs
from windlass.outputs.trust import Known, Opinion
from windlass.pages.html.sections import Section
from windlass.predictors.contract import Predictor
from windlass.records import Board, Catalogue, Column, Explanation, Json, Manifest, Recent, Row, Splits
from windlass.spec import Spec

if TYPE_CHECKING:
    import polars as pl

    from windlass.brand import Rules
    from windlass.outputs.comparison import PairedAnswers
    from windlass.outputs.splitting import Cleaning


@dataclass(frozen=True)
class Unsupported:
    """Something that makes no sense for an output. why: a sentence that the user sees, with what to do instead."""

    why: str
    hint: str = ""

    def refusal(self) -> SpecError:
        return SpecError(self.why, self.hint)


def later(module: str, name: str) -> Callable[..., Any]:
    """A function of a module that is imported when it is first called: a service loads no library of the stages."""

    def call(*values: Any) -> Any:
        return getattr(import_module(module), name)(*values)

    return call


@dataclass(frozen=True)
class Held:
    """What answers are held to beside the right ones. rules: of the brand; root: of files that rows name."""

    spec: Spec
    root: Path
    rules: "Rules | None" = None


@dataclass(frozen=True)
class Tested:
    """Candidates that were measured. learners: candidate -> who trained it; marks: -> its answers on the same rows."""

    metric: str
    splits: Splits
    learners: Mapping[str, str]
    marks: Mapping[str, Marks]


@dataclass(frozen=True)
class Validated:
    """A candidate's answers on validation rows. rows: (m,) int, which rows of the split they are."""

    marks: Marks
    rows: np.ndarray

    def value(self, metric: str) -> float | None:
        """None: not measured, or not defined for these answers."""
        if not len(self.rows) or metric not in self.marks.metrics:
            return None
        found = self.marks.value(metric)
        return None if math.isnan(found) else found


@dataclass(frozen=True)
class Baseline:
    """What costs no model: its words, what it reaches in the goal's metric, and its answers where they are known."""

    words: str
    value: float
    marks: Marks | None = None


@dataclass(frozen=True)
class Scored:
    """Answers as `plan` measures them: in a score whose gains add up, and of which 1 is perfect.

    metric: its name, of `marks`. bound(value) -> a bound of the goal's metric in that score.
    """

    metric: str
    marks: Marks
    bound: Callable[[float], float] = lambda value: value


@dataclass(frozen=True)
class Suspected:
    """A train row whose right answer may be wrong. right: what it says; found: what is seen beside it; sure: 0-1."""

    row: Row
    right: Any
    found: Any
    sure: float


@dataclass(frozen=True)
class Shown:
    """What the report shows of the chosen candidate. examples: one short text a test row. rows: the test rows, inputs:
    the kinds of their columns; empty: not known. suspected: train rows that it doubts, the surest first."""

    board: Board
    marks: Marks
    examples: Sequence[str]
    rules: "Rules | None" = None
    rows: Sequence[Row] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    suspected: Sequence[Suspected] = ()


@dataclass(frozen=True)
class Why:
    """What is to be explained. root: of pictures that rows name by path; answer: another one than was given."""

    root: Path | None = None
    answer: str = ""
    effort: Callable[[], Effort] = Effort


@dataclass(frozen=True)
class Seen:
    """What a release remembers of how its rows were answered, without a row. answers: what `watching` compares with.

    column, profiles: of the answers, where their `sketch` says more than their mix; none: no column.
    """

    answers: Json = field(default_factory=dict)
    column: Column | None = None
    profiles: Sequence[Sequence[int]] = ()

    def as_json(self) -> Json | None:
        if self.column is None or not len(self.profiles):
            return None
        column = {"name": self.column.name, "kind": self.column.kind, "state": self.column.state}
        return {**column, "profiles": list(self.profiles)}


N_EXPLAINED = 3
"""Rows of the report that are explained where an output picks none: the first."""
Kept = tuple[Row, bool]
"""A row with its right answer, and whether it was kept from training."""


@dataclass(frozen=True)
class Uncertainty:
    """How little the product was sure of an answer. margin: 0-1, smaller is less sure; confidence None: not known."""

    answered: str
    confidence: float | None
    margin: float


@dataclass(frozen=True)
class Labelled:
    """Rows with their answers, to be written for other programs. parts: split -> rows; picture, output: their columns.

    corrected: rows as people corrected them since, a picture of the parts among them or a new one.
    """

    parts: Mapping[str, Sequence[Row]]
    corrected: Sequence[Row]
    picture: str
    output: str
    root: Path


@dataclass(frozen=True)
class Output:
    """How answers of one kind are made, measured, shown, watched and improved.

    kind: of the column that is answered. metrics: the first is the headline.

    headline(spec) -> the metric that decides where the goal names none. learned(metric) -> what learners look at.
    check(spec, goal): raises SpecError where the spec asks of this output what it cannot do.

    split(rows, spec, cleaning, random) -> train, validation, test. continued(rows, taught, spec, cleaning) -> the same
    where what was taught are later rows of a log, of which the latest judge; None: rows that judge stay. counts(splits,
    column) -> rows of each answer in each split, where answers are few. warn(train, spec, cleaning): what a person
    should know of the training rows. check_rows(spec, splits): raises SpecError where the spec does not fit the rows;
    check_tests(rows, spec): raises DataError where the test rows cannot judge. settle(folder of a run, splits,
    spec, metric) -> the validation score once what needs no training is decided; None: as the learner measured it.

    marks(predictor, rows, held) -> answers beside the right ones. most_tested: test rows that are answered; None: all.
    validated(predictor, folder of its run, splits, held) -> its answers on validation rows, by a model that had not
    seen them; None: that is not known. baseline(tested) -> what must be beaten; None: nothing. sections(shown) -> of
    the report. data_sections(split -> rows, spec) -> of the data report. suspected(predictor, splits) -> train rows
    that it shows as doubtful. remarks(marks, metric) -> what makes this metric of these answers say less than one
    might think.
    advice(marks, misses) -> what to do next; misses: the goal is not reached.

    picked(predictor, rows, splits) -> (group, row) that are worth an explanation. explain(predictor, row, number, why)
    -> why it was answered so. explains_live: why the service does not explain answers; None: it does.

    kept(splits, predictor, recent, most) -> rows that are remembered. seen(predictor, kept, splits) -> how they were
    answered.
    named(value) -> an answer as it is counted; '' where each is its own. is_right(value, correct, answers) -> feedback
    says that the answer was right; answers: of `Seen`.

    answer_schema(column) -> JSON schema of the value. feedback_schema(column) -> of what a person sends back; example
    (column) -> such a value.
    kept_as(value) -> the value as one text for the log; value_of(text) -> the value. widget(manifest) -> how the page
    shows an answer and takes a correction: `answer`, a function of its script, `verb`, a word of its button, `labels`.

    same(one, other) -> both say the same. teaches(given, right) -> feedback is a row to learn from. unfit(rows, train,
    spec) -> rows, those set aside whose answer is none that the product gives. opinion(rows, champion, known, spec)
    -> how much they contradict what is known. compare(pair, pairs, metric, root) -> champion and challenger side by
    side. doubts(champion, rows) -> how sure it is of each. improves(spec): raises SpecError where feedback cannot
    judge. rights(value of a collected row) -> the right answers that it names. asks_once: rows that ask the same have
    one right answer; else they may differ rightly, as prices do. has_intervals: an answer says between which two the
    right one lies. has_unit: an answer counts something, such as EUR. cites: answers
    are taken from documents. is_queued: the page shows answers that are worth a correction, one after the other.
    to_label(questions, spec, folder) -> the file of answers to be labelled; None: a CSV.
    refuses(value) -> it says that there is no answer, and waits for a person.
    dropped(value) -> sentences that were left out of it, as nothing supports them.
    check_correction(predictor, said): raises DataError where a correction speaks of what the release does not have or
    who speaks does not see.
    search(predictor, rows, k) -> of each row the k best passages; summarise(predictor, document, n) -> sentences that
    stand for it; spoken_of(predictor, topic) -> what documents say of it; None: there are none.
    came_to(database, release, since[, until]) -> answers of a release, and those that came to something, such as a
    click; None: only feedback tells. renewed(predictor, table) -> the same release with the items of the table; None:
    answers are of no table.
    changed_documents(predictor, splits) -> documents that are not as the release knows them. level(spec) ->
    which quantile of a number is answered, where errors cost more on one side; None: its middle, or it is no number.
    read_correction(column, said) -> what a person sent back, read; raises DataError. amended(given, said) -> the right
    answer, where that tells what to change of the one given; raises DataError where it does not fit. together(texts)
    -> what several pieces of feedback on one answer say, as a row keeps it; None: the later one counts.
    labels_of(value) -> the labels that an answer consists of.

    export(folder, format, labelled) -> what was written there, as annotation tools read it, with `text` for a person;
    None: no tool has such answers.

    scored(marks, metric, splits) -> as `plan` measures them. proposals: why `plan` tells nothing of these answers;
    None: it does. compares: why two candidates are not
    compared by people; None: they are.
    """

    kind: str
    metrics: tuple[str, ...]
    headline: Callable[[Spec], str]
    check: Callable[[Spec, Goal], None]
    split: "Callable[[pl.DataFrame, Spec, Cleaning, np.random.Generator], dict[str, pl.DataFrame]]"
    counts: "Callable[[Mapping[str, pl.DataFrame], str], dict[str, dict[str, int]]]"
    warn: "Callable[[pl.DataFrame, Spec, Cleaning], None]"
    check_rows: Callable[[Spec, Splits], None]
    tune_decision: Callable[[Path, Splits, Spec, str], float | None]
    marks: Callable[[Predictor, Sequence[Row], Held], Marks]
    validated: Callable[[Predictor, Path, Splits, Held], Validated | None]
    baseline: Callable[[Tested], Baseline | None]
    sections: Callable[[Shown], list[Section]]
    advice: Callable[[Marks, bool], list[str]]
    explain: Callable[[Predictor, Row, int, Why], Explanation]
    kept: Callable[[Splits, Predictor, Recent | None, int], list[Kept]]
    seen: Callable[[Predictor, Sequence[Kept], Splits], Seen]
    is_right: Callable[[Any, Any, Json], bool]
    answer_schema: Callable[[Column], Json]
    feedback_schema: Callable[[Column], Json]
    example: Callable[[Column], Any]
    kept_as: Callable[[Any], str]
    value_of: Callable[[str], Any]
    widget: Callable[[Manifest], Json]
    same: Callable[[Any, Any], bool]
    opinion: Callable[[Sequence[LabelledRow], Predictor, Known, Spec], Opinion]
    compare: "Callable[[tuple[Predictor, Predictor], Pairs, str, Path], PairedAnswers]"
    doubts: Callable[[Predictor, Sequence[Json]], list[Uncertainty]]
    scored: Callable[[Marks, str, Splits], Scored]
    continued: "Callable[[pl.DataFrame, Sequence[LabelledRow], Spec, Cleaning], dict[str, pl.DataFrame]] | None" = None
    learned: Callable[[str], str] = lambda metric: metric
    check_tests: Callable[[Sequence[Row], Spec], None] = lambda rows, spec: None
    named: Callable[[Any], str] = lambda value: ""
    teaches: Callable[[Any, Any], bool] = lambda given, right: True
    unfit: Callable[[Sequence[LabelledRow], Pairs, Spec], list[LabelledRow]] = lambda rows, train, spec: list(rows)
    picked: Callable[[Predictor, Sequence[Row], Splits], list[tuple[str, Row]]] = lambda predictor, rows, splits: [
        ("first", row) for row in rows[:N_EXPLAINED]
    ]
    improves: Callable[[Spec], None] = lambda spec: None
    most_tested: int | None = None
    asks_once: bool = True
    has_intervals: bool = False
    has_unit: bool = False
    cites: bool = False
    is_queued: bool = False
    to_label: Callable[[Sequence[Any], Spec, Path], Path] | None = None
    refuses: Callable[[Any], bool] = lambda value: False
    dropped: Callable[[Any], int] = lambda value: 0
    check_correction: Callable[[Predictor, Any], None] = lambda predictor, said: None
    search: Callable[[Predictor, Sequence[Row], int], list[list[Json]]] | None = None
    summarise: Callable[[Predictor, str, int], Json] | None = None
    spoken_of: Callable[[Predictor, str], list[Json]] | None = None
    came_to: Callable[..., Proportion] | None = None
    renewed: Callable[[Predictor, Catalogue], Predictor] | None = None
    changed_documents: Callable[[Predictor, Splits], list[str]] = lambda predictor, splits: []
    level: Callable[[Spec], float | None] = lambda spec: None
    data_sections: Callable[[Mapping[str, Sequence[Row]], Spec], list[Section]] = lambda splits, spec: []
    remarks: Callable[[Marks, str], list[str]] = lambda marks, metric: []
    suspected: Callable[[Predictor, Splits], list[Suspected]] = lambda predictor, splits: []
    details: Callable[[Marks], Json] = lambda marks: {}
    rights: Callable[[Any], list[Any]] = lambda value: [value]
    read_correction: Callable[[Column, Any], Any] = lambda column, said: kinds.of(column).read(said, None)
    amended: Callable[[Any, Any], Any] = lambda given, said: said
    together: Callable[[Sequence[str]], str] | None = None
    labels_of: Callable[[Any], list[str]] = lambda value: [str(value)]
    export: Callable[[Path, str, Labelled], Json] | None = None
    explains_live: Unsupported | None = None
    proposals: Unsupported | None = None
    compares: Unsupported | None = None
