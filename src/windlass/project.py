"""The Python face: a project folder, and the stages as methods."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from windlass import lifecycle
from windlass.errors import DataError
from windlass.frames import rows_of
from windlass.pages.html.notebook import Board, Explanation, Roadmap
from windlass.pages.html.notebook_progress import here
from windlass.records import Answer, Collected, Health, Improvement, Json, Prepared, Progress, Run, Trained
from windlass.records import Release as ReleaseRecord
from windlass.spec import FILE_NAME, Spec
from windlass.spec import load as load_spec
from windlass.store import diagnostics
from windlass.store.store import Store

if TYPE_CHECKING:
    from windlass.forgetting.receipt import Receipt
    from windlass.improving.retrain_schedule import Turn
    from windlass.predictors.contract import Predictor


class Model:
    """An artifact that answers: `windlass.load(folder).predict(rows)`."""

    def __init__(self, predictor: "Predictor", folder: Path) -> None:
        self.folder = folder
        self.predictor = predictor

    def predict(self, rows: Any, root: Path | None = None) -> list[Answer]:
        """One answer a row, in order, of a row, a list of rows or a data frame (pandas or polars); columns that are not
        read may stand beside the others. `root`: the folder of pictures that rows name by path.

        Raises: DataError: a column is missing or a value cannot be read.
        """
        return self.predictor.answer(rows_of(rows), root)

    def summarise(self, document: str, n: int = 5, groups: Sequence[str] = ()) -> Json:
        """The n sentences that stand for a document, to the letter, each with its place, as these groups may see it.

        Raises: DataError: they see no such document. SpecError: answers cite no documents.
        """
        from windlass.outputs import table as outputs

        return outputs.summarise(self._seen_by(groups), document, n)

    def report_on(self, topics: Sequence[str], groups: Sequence[str] = ()) -> list[Json]:
        """Of each topic or question its cited answer, and the sentences of the best documents that speak of it.

        `windlass.pages.text.topics.markdown` writes it. Raises: SpecError: answers cite no documents.
        """
        from windlass.outputs import table as outputs

        return outputs.report_on(self._seen_by(groups), topics)

    def _seen_by(self, groups: Sequence[str]) -> "Predictor":
        from windlass.database.keys import read_groups
        from windlass.predictors.contract import seen_by

        return seen_by(self.predictor, read_groups(groups))

    def explain(self, rows: Any, root: Path | None = None, label: str = "") -> list[Explanation]:
        """Why each row is answered so; shows itself in Jupyter and as text. `label`: explain this one instead.

        Raises: DataError: as `predict`, or an unknown label. NotReady: answers that are found, not weighed.
        """
        from windlass.outputs import table as outputs
        from windlass.outputs.contract import Why

        return [Explanation(**vars(each)) for each in outputs.explain(self.predictor, rows_of(rows), Why(root, label))]

    def __repr__(self) -> str:
        manifest = self.predictor.manifest
        return f"Model('{self.folder}': {[column.name for column in manifest.inputs]} -> {manifest.output.name})"


class Release(Model):
    """A release that answers: `release.predict(rows)`."""

    def __init__(self, record: ReleaseRecord, predictor: "Predictor", folder: Path) -> None:
        super().__init__(predictor, folder)
        self.record = record
        self.id = record.id

    def __repr__(self) -> str:
        return f"Release('{self.id}', {self.record.candidate}, {self.record.headline} {self.record.score})"


class _Documents:
    """What a project of cited answers does with its documents."""

    spec: Spec
    store: Store
    _progress: Progress

    @property
    def champion(self) -> Release:
        """The release that is served. Raises: NotReady when there is none."""
        from windlass.registry import releases

        identity = releases.champion_id(self.store)
        record, predictor = releases.open_release(self.store, identity)
        return Release(record, predictor, releases.folder(self.store, identity))

    def search(self, words: str, k: int = 5, groups: "Sequence[str]" = ()) -> "list[Json]":
        """The k best passages that these groups may see, without an answer. Raises: NotReady: no release. SpecError."""
        from windlass.database.keys import read_groups
        from windlass.outputs import table as outputs
        from windlass.predictors.contract import seen_by

        return outputs.search(self.spec, seen_by(self.champion.predictor, read_groups(groups)), words, k)

    def people_tests(self) -> "list[Json]":
        """What people answered to refused questions: question, answer, and whether the champion answers so (holds)."""
        from windlass.improving.people import people_tests

        return people_tests(self.champion.predictor, self.spec, lifecycle.memory(self.store))

    def forget_document(self, document: str) -> "Receipt":
        """Takes the document out of the store, the log and every release, and proves it (`windlass forget`).

        Raises: NotReady: there is no such document. DataError: it is still found; the message says where.
        """
        from windlass.forgetting.documents import forget_document

        memory = lifecycle.memory(self.store)
        return forget_document(self.spec, self.store, memory, document, self._progress)


class Project(_Documents):
    """A folder with `windlass.yaml`. Stages that are up to date are not run again.

    >>> project = Project("support-desk")
    >>> board = project.run()
    >>> project.release().predict([{"message": "my card is lost"}])
    """

    def __init__(self, folder: str | Path = ".", progress: Progress | None = None) -> None:
        self.folder = Path(folder).resolve()
        self.spec: Spec = load_spec(self.folder)
        self.store = Store(self.folder)
        diagnostics.keep_in(self.store.folder)
        self._progress = progress or here()

    def run(self) -> Board:
        """Collects, prepares, trains and evaluates what is not up to date; gives the leaderboard."""
        self._walk("evaluate")
        return self.board

    def collect(self) -> Collected:
        self._walk("collect")
        return self.store.read("collect", Collected)

    def prepare(self) -> Prepared:
        self._walk("prepare")
        return self.store.read("prepare", Prepared)

    def train(self) -> list[Run]:
        self._walk("train")
        return self.store.read("train", Trained).runs

    @property
    def board(self) -> Board:
        """The last leaderboard. Raises: NotReady."""
        return Board(**vars(lifecycle.read_board(self.store)))

    @property
    def report(self) -> Path:
        """The report of the last leaderboard, a self-contained page."""
        return self.store.stage("evaluate") / "report.html"

    def explain(self) -> Path:
        """Explains a few test rows that the chosen candidate answered; gives the page."""
        self._walk("explain")
        return Path(self.folder, self.store.read_record("explain")["report"])

    def release(self, candidate: str = "", anyway: bool = False) -> Release:
        """Releases the chosen candidate (or the named one) and makes it the champion.

        Args:   anyway: although it misses goal or limits, solves nothing or is no better than the baseline; the audit
                trail and the card say so.
        Raises: GateRefused: one of these, or golden answers do not hold; the message says which.
        """
        if candidate or anyway:
            self._walk("evaluate")
            with self.store.lock():
                lifecycle.release(self.spec, self.store, self._progress, candidate, anyway)
        else:
            self._walk("release")
        return self.champion

    def watch(self, now: float | None = None) -> Health:
        """One look at the service: what is new in its log, what changed, alarms; nothing is read twice.

        Args:   now: seconds since 1970, of a log that plays other days; None: the clock's.
        Raises: NotReady: no database there. DataError: the log is damaged.
        """
        return next(lifecycle.watch(self.spec, self.store, now))

    def looks(self, every: str = "") -> Iterator[Health]:
        """As `watch`, again and again: `every` such as 60s."""
        return lifecycle.watch(self.spec, self.store, every=every)

    def health_text(self, health: Health) -> str:
        """What a person reads of a look, in the words of this output."""
        from windlass.outputs import table as outputs
        from windlass.pages.html.health import health_text

        return health_text(health, outputs.of(self.spec).has_intervals)

    def silence(self, alarm: str, duration: str) -> str:
        """Tells nobody of an alarm (its name, or name:subject) for so long, such as 7d. Raises: SpecError."""
        from windlass.watching.silence import silence

        return silence(self.store, ["silence", alarm, duration])

    def improve(
        self, file: str | Path | None = None, canary: float = 0.0, trigger: str = "Project.improve"
    ) -> Improvement:
        """One attempt at a better champion, from feedback, newly labelled rows and documents that have changed since;
        goes on with a killed one.

        Args:   file: CSV, JSONL or Parquet with the product's columns. canary: share of the requests for a trial.
        Raises: NotReady: no release, or another process improves. SpecError: feedback cannot judge its answers.
        """
        from windlass.improving.cycle import ImproveRequest

        if self.spec.documents:  # they change in their folder, without anybody's word
            self._walk("prepare")
        order = ImproveRequest(None if file is None else Path(file), canary, trigger)
        return lifecycle.improve(self.spec, self.store, order, self._progress)

    def ask(self, n_wanted: int = 50) -> Path:
        """Chooses answers that are worth a label: unsure ones that differ; gives a CSV to fill in for `improve(file)`.

        Raises: NotReady: the log holds no answer with what was asked. SpecError: feedback cannot judge its answers.
        """
        from windlass.improving.active_learning import write_questions
        from windlass.outputs import table as outputs
        from windlass.outputs.worth_labelling import questions

        outputs.of(self.spec).improves(self.spec)
        found = questions(lifecycle.memory(self.store), self.champion.predictor, self.spec.inputs, n_wanted)
        return write_questions(found, self.spec, self.folder)

    def keep_improving(self, every: str = "", on_alarm: bool = False) -> "Iterator[Turn]":
        """Improves by a schedule such as '1d', or when `watch` raises an alarm; rolls back what does worse in use.

        Never ends by itself. Raises: SpecError: no such period.
        """
        once = partial(self.improve, None, 0.0)
        return lifecycle.keep_improving(self.spec, self.store, once, every, on_alarm)

    def improvements(self) -> list[Improvement]:
        """All attempts at a better champion, oldest first; writes `improve/history.html` as well."""
        from windlass.improving.cycle import write_history

        return write_history(self.spec, self.store)

    def doubts(self) -> list[dict[str, str]]:
        """Feedback that the last attempt set aside, with the reason: a person may accept or refuse it."""
        from windlass.improving.attempts import aside

        return aside(self.store)

    def decide(self, ids: "Sequence[str]", is_accepted: bool) -> None:
        """Accepts feedback that was set aside, or refuses it for good; the next attempt goes by it.

        Raises: DataError: no such row was set aside. NotReady: another process improves.
        """
        from windlass.improving.attempts import decide

        decide(self.store, ids, is_accepted)

    def plan(self, **what_if: str) -> Roadmap:
        """What to do next: a roadmap from all that was measured. `traffic="10x"`, `budget=`, `deadline=`, `hours=`:
        what if.

        Raises: NotReady: no leaderboard yet. SpecError: product.yaml is wrong, or what if.
        """
        from windlass.planning.schedule.changes import WhatIf

        wish = WhatIf(**{name: str(value) for name, value in what_if.items()})
        return Roadmap(**vars(lifecycle.plan(self.spec, self.store, wish, self._progress)))

    def export(self, folder: str | Path, form: str = "coco") -> Json:
        """Writes the labelled pictures, corrections among them, as an annotation tool reads them.

        Raises: DataError: the folder is not empty. SpecError: no such format, or no tool has such answers.
        """
        self._walk("prepare")
        return lifecycle.export(self.spec, self.store, Path(folder), form)

    def walk(self, until: str, told: Callable[[str, bool], None]) -> None:
        """Runs the stages up to and with `until`; `told(word, skipped)` is called after each."""
        lifecycle.run(self.spec, self.store, self._progress, told, until)

    def forget(self, word: str) -> None:
        """Makes a stage out of date, so that it runs again."""
        self.store.forget(word)

    def document(self, name: str) -> str:
        """The path of the document that is called so, '' where there is none, and never was.

        Raises: NotReady: it is no document, and looks like one: it has a dot or a slash, or is empty.
        """
        from windlass.forgetting.documents import called

        return called(self.spec, self.store, name)

    def summary(self, word: str, skipped: bool) -> str:
        """One line of what a stage did."""
        from windlass.pages.text.listing import stage_line

        return stage_line(word, skipped, self.store.read_record(word))

    def shown(self, word: str) -> str:
        """The last result of a stage as text for a terminal."""
        return lifecycle.shown(self.store, word)

    def _walk(self, until: str) -> None:
        self.walk(until, lambda word, skipped: None)

    def __repr__(self) -> str:
        return f"Project('{self.folder}': {self.spec.inputs} -> {self.spec.output})"


def load(place: str | Path) -> Model:
    """What answers from a place: a project (its champion), a release's folder, or an artifact such as `save` writes.

    Raises: DataError: it is none of these, or damaged. NotReady: a project without a release, or a part is missing.
    """
    from windlass.predictors.artifact import MANIFEST
    from windlass.predictors.table import load as open_artifact
    from windlass.registry import releases

    folder = Path(place).expanduser().resolve()
    if (folder / FILE_NAME).is_file():
        return Project(folder).champion
    if (folder / releases.RECORD).is_file():
        record = releases.read_record(folder)
        return Release(record, releases.proven(folder, record), folder)
    if not (folder / MANIFEST).is_file():
        there = "is not there" if not folder.exists() else f"has no {FILE_NAME}, {releases.RECORD} or {MANIFEST}"
        raise DataError(f"{place} {there}, expected the folder of a project, a release or an artifact")
    return Model(open_artifact(folder), folder)
