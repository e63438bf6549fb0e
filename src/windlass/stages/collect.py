"""Sources -> raw rows and `rejects.jsonl`: rows in = accepted + rejected, each reject with its reason."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any

import polars as pl

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.contract import Kind, is_missing
from windlass.kinds.image import SUFFIXES
from windlass.records import Collected, Progress, as_json, silent
from windlass.sandbox.syntax import tree_of
from windlass.sources.confinement import SAID, allowed_folders, check_files
from windlass.sources.contract import RawRow, Source
from windlass.sources.documents import forgotten
from windlass.sources.events import catalogue as items_table
from windlass.sources.events.answered import AnsweredEvents, is_answered
from windlass.sources.events.log import EventLog, history_column
from windlass.sources.places import check_columns, find, names_of, wanted_columns
from windlass.sources.prepared import CHECKS, GROUP, SPLIT, rows_path, write_catalogue, write_collected
from windlass.sources.readers.system_files import files_below, visible
from windlass.sources.series_points import Refused as PointRefused
from windlass.sources.series_points import SeriesPoints
from windlass.spec import Spec
from windlass.store.files import write_text
from windlass.store.json_files import fingerprint, write_json
from windlass.store.store import Store

REJECTS, PICTURES = "rejects.jsonl", "pictures"
N_SHOWN = 200
N_ADVISED = 1_000
"""Values of a column by which it is judged how they are written, where some are refused."""
EVERY = 1_000
LOUD = 0.05
"""Share of a source's rows that are rejected for one reason from which on it is said before all else."""
MISSING = "column '{}' is missing"
FORGOTTEN = "quotes, or was written from, a document that was forgotten"
WIDTH = re.compile(r"has \d+ fields, expected \d+")


@dataclass
class Intake:
    """What has been taken in so far: accepted values by column, and the rejects."""

    columns: dict[str, Kind]
    output: str
    group: str = ""
    checks: str = ""
    allowed: tuple[Path, ...] = ()
    values: dict[str, list[Any]] = field(default_factory=dict)
    splits: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    doubts: Counter[tuple[str, str]] = field(default_factory=Counter)
    hints: dict[str, str] = field(default_factory=dict)
    seen: dict[str, list[Any]] = field(default_factory=dict)
    rows_in: int = 0
    refused: dict[str, "Refused"] = field(default_factory=dict)
    """Of the source that is read: why rows are rejected."""

    def __post_init__(self) -> None:
        self.values = {name: [] for name in self.columns}
        self.seen = {name: [] for name in self.columns}
        self._cleaners = [(name, kind.clean or kind.read) for name, kind in self.columns.items()]

    def take(self, raw: RawRow, source: Source) -> None:
        """Accepts the row, or keeps it as a reject with its reason."""
        self.rows_in += 1
        if raw.values is None:
            return self._reject(raw, source, raw.fault, raw.fault, raw.shown)
        try:
            check_files(raw.values, self.columns, source.root, self.allowed)
        except DataError as error:
            return self._reject(raw, source, error.message, f"column {SAID}; `files:` in windlass.yaml allows folders")
        if self.rows_in <= N_ADVISED:
            for name, values in self.seen.items():
                values.append(raw.values.get(name))
        cleaned: dict[str, Any] = {}
        for name, clean in self._cleaners:
            try:
                cleaned[name] = clean(raw.values.get(name), source.root)
            except DataError as error:
                if error.hint:
                    self.hints.setdefault(name, error.hint)
                reason, group = f"column '{name}': {error.message}", f"column '{name}' is not {self.columns[name].name}"
                self.refused.setdefault(group, Refused(name, error.hint or self._other_kind(name)))
                return self._reject(raw, source, reason, group)
        if is_missing(cleaned[self.output]):
            return self._reject(
                raw,
                source,
                f"column '{self.output}' is missing, expected an answer to learn from",
                MISSING.format(self.output),
            )
        try:
            group, tests = _group(raw.values.get(self.group)), _tests(raw.values.get(self.checks))
        except DataError as error:
            return self._reject(raw, source, error.message, error.message)
        nothing_asked = all(is_missing(value) for name, value in cleaned.items() if name != self.output)
        if nothing_asked and not self.columns[self.output].is_prose:
            return self._reject(raw, source, "every input is missing", "every input is missing")
        for name, value in cleaned.items():
            self.values[name].append(value)
            if doubt := self.columns[name].doubt(raw.values.get(name)) or self.columns[name].loss(value):
                self.doubts[name, doubt] += 1
        self.splits.append(source.split)
        self.groups.append(group or raw.group)
        self.tests.append(tests)
        return None

    def leave_out(self, gone: Sequence[bool], reason: str) -> None:
        """Rejects rows that were accepted, without a word of them."""
        stays = [not each for each in gone]
        for name, values in self.values.items():
            self.values[name] = list(compress(values, stays))
        self.splits, self.groups, self.tests = (
            list(compress(each, stays)) for each in (self.splits, self.groups, self.tests)
        )
        self.rejects += [{"source": "", "row": 0, "reason": reason, "shown": ""}] * sum(gone)
        self.reasons[reason] += sum(gone)

    def take_point(self, raw: RawRow, source: Source, points: SeriesPoints | EventLog) -> None:
        """The same of a point of a series, or an event of a history; `compose` makes rows of them."""
        self.rows_in += 1
        if raw.values is None:
            return self._reject(raw, source, raw.fault, raw.fault, raw.shown)
        try:
            points.add(raw, source)
        except DataError as error:
            words = error.message.partition(" is ")[0].partition(":")[0]
            if error.hint:
                self.refused.setdefault(words, Refused(hint=error.hint))
            return self._reject(raw, source, error.message, words)
        return None

    def compose(self, points: SeriesPoints | EventLog) -> dict[str, "Refused"]:
        """Accepts the series that the points make, and keeps those that are left out; gives why they were."""
        for found in points.series():
            if isinstance(found, PointRefused):
                self._reject(found.point.raw, found.point.source, found.reason, found.kind_of)
                continue
            for name, value in found.values.items():
                self.values[name].append(value)
            self.splits.append(found.cut)
            self.groups.append(found.group)
            self.tests.append("")
        return self.refused

    def advise(self, refused: dict[str, "Refused"]) -> None:
        """The hint to one value of a column gives way to what is told by many."""
        for name in self.hints:
            self.hints[name] = self.columns[name].advice(self.seen[name]) or self.hints[name]
        for why in refused.values():
            why.hint = self.hints.get(why.column, why.hint)

    @property
    def warnings(self) -> list[str]:
        """What a person should know of the values: what was not kept of them, and how refused ones might be read."""
        doubts = [f"column '{name}' holds in {found:,} rows a {said}" for (name, said), found in self.doubts.items()]
        return [*doubts, *(f"column '{name}': {hint}" for name, hint in self.hints.items())]

    def _other_kind(self, name: str) -> str:
        kind = self.columns[name].name
        return f"is '{name}' another kind than {kind}? windlass.yaml says '{name}: {kind}', `windlass init` guesses it"

    def _reject(self, raw: RawRow, source: Source, reason: str, group: str, shown: str = "") -> None:
        shown = shown or json.dumps(raw.values, ensure_ascii=False, default=str)[:N_SHOWN]
        reason = source.named(reason)
        self.rejects.append({"source": source.path.name, "row": raw.number, "reason": reason, "shown": shown})
        self.reasons[group] += 1
        why = self.refused.setdefault("has another number of fields" if WIDTH.fullmatch(group) else group, Refused())
        why.first = why.first or f"row {raw.number}: {reason}"
        why.count += 1


@dataclass
class Refused:
    """Rows of a source that were rejected for one reason. column: whose values are at fault, ''= of none alone."""

    column: str = ""
    hint: str = ""
    first: str = ""
    count: int = 0


def _group(value: Any) -> str:
    """What a row belongs to; '' when nothing is said. Raises: DataError: no name and no number."""
    if isinstance(value, list | dict):
        raise DataError(f"group is {type(value).__name__}, expected a name or a number")
    return "" if is_missing(value) else str(value).strip()


def _tests(value: Any) -> str:
    """Tests as Python, from a text or a list of statements; '' when there are none. Raises: DataError: no Python."""
    lines = value if isinstance(value, list) else [] if is_missing(value) else [value]
    if not all(isinstance(line, str) for line in lines):
        raise DataError("tests are no text, expected Python, or a list of statements")
    try:
        tree_of("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        raise DataError("tests are no Python, expected statements such as `assert f(1) == 2`") from None
    return "\n".join(lines)


def key_of(spec: Spec, store: Store) -> str:
    """Changes when the data, the columns or their kinds do (files by name, size and time)."""
    sources = _sources(spec, store)
    seen = [stamp for source in sources for stamp in _stamps(source)]
    ways: list[Any] = [
        spec.formats,
        spec.labels.merge,
        *([spec.labels.columns] if spec.labels.columns else []),
        spec.files,
        *([spec.max_rejected] if spec.max_rejected != 0.5 else []),
    ]
    if spec.series is not None:
        ways.append(spec.series.model_dump())
    if spec.items is not None:
        ways += [spec.items.model_dump(), items_table.stamp(spec, store)]
    if spec.documents:
        from windlass.sources.documents.collected import stamps

        ways.append(stamps(spec, store))
    if any(source.path.is_file() for source in sources) and (pictures := _named_pictures(spec, store)):
        ways.append(pictures)
    return fingerprint([spec.data, spec.inputs, spec.output, spec.group, spec.checks, ways, seen])


def _named_pictures(spec: Spec, store: Store) -> list[tuple[str, int, int]]:
    """The pictures in the folders of those that rows named when they were collected last: one may change, or come,
    while the file that names it stays as it was. Of a folder that is a source every file is stamped."""
    path, names = rows_path(store), [name for name, kind in spec.inputs.items() if kinds.get(kind).is_picture]
    if not names or not path.is_file():
        return []
    try:
        rows = pl.read_parquet(path, columns=names, glob=False)
    except (pl.exceptions.PolarsError, OSError):
        return []  # `prepare` says that it is damaged
    folders = {Path(value).parent for name in names for value in rows[name].drop_nulls() if value[:1] == "/"}
    own = store.folder.resolve()
    found = [item for folder in sorted(folders) if folder.is_dir() and not folder.is_relative_to(own)
             for item in visible(folder) if item.suffix.lower() in SUFFIXES and item.is_file()]  # fmt: skip
    return [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in found]


def is_within(spec: Spec, store: Store) -> bool:
    """True where all that is read are files of the project that are seen there, and no rows name others."""
    if spec.documents or spec.items or spec.language.preferences or any(kinds.get(kind).is_picture
                                                                         for kind in spec.inputs.values()):  # fmt: skip
        return False
    named = [spec.data] if isinstance(spec.data, str) else list(spec.data.values())
    own = store.project.resolve()
    for name in [*named, *filter(None, [spec.brand])]:
        path = (own / name).resolve()
        if not path.exists() or not path.is_relative_to(own):
            return False
        if any(part.startswith(".") for part in path.relative_to(own).parts):
            return False
    return True


def _stamps(source: Source) -> list[tuple[str, int, int]]:
    if source.version:
        return [(source.version, 0, 0)]
    files = [source.path] if source.path.is_file() else files_below(source.path)
    return [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files if path.is_file()]


def collect(spec: Spec, store: Store, progress: Progress = silent) -> Collected:
    """Reads every source of the spec into `collect/rows.parquet`.

    Raises: DataError: nothing to read, a column that is not there, or no row that can be used.
    """
    ways = kinds.ways(spec)
    columns = {name: kinds.reading(kind, ways.get(name)) for name, kind in {**spec.inputs, **spec.output}.items()}
    sources = _sources(spec, store)
    folder = store.stage("collect")
    shutil.rmtree(folder / PICTURES, ignore_errors=True)
    allowed = allowed_folders(spec.files, store.project)
    intake = Intake(columns, spec.output_column, spec.group, spec.checks, allowed)
    points = _long_table(spec, columns)
    taken = []
    for source in sources:
        before, intake.refused = intake.rows_in, {}
        for raw in _checked(source, wanted_columns(spec, source.split)):
            if points is None:
                intake.take(raw, source)
            else:
                intake.take_point(raw, source, points)
            if intake.rows_in % EVERY == 0:
                progress("collect", intake.rows_in, 0, source.path.name)
        intake.advise(intake.refused)
        taken.append((source, intake.rows_in - before, intake.refused))
    progress("collect", intake.rows_in, intake.rows_in, "")
    if points is not None:
        taken = [(sources[0], intake.rows_in, intake.compose(points))]
    documents: dict[str, int] = {}
    said: list[str] = []
    if spec.documents:
        from windlass.sources.documents.collected import collect_documents

        documents, said = collect_documents(spec, store, intake.values[spec.output_column], progress)
        said += _redact(intake, spec, store)
    said += _catalogue(spec, store, points)
    _write_rejects(folder, intake, store)
    if not intake.splits:
        raise _nothing_left(intake, sources)
    warnings = [*filter(None, [_said_of(*each, spec) for each in taken])]
    warnings += [warning for source in sources for warning in source.warnings]
    warnings += said
    _write_rows(store, intake)
    record = Collected(
        rows_in=intake.rows_in,
        accepted=intake.rows_in - len(intake.rejects),
        rejected=len(intake.rejects),
        reasons=dict(intake.reasons.most_common()),
        sources=[source.shown for source in sources],
        splits=dict(Counter(split or "not split" for split in intake.splits))
        if points is None or points.has_splits
        else {},
        warnings=[*warnings, *intake.warnings, *(points.warnings if points is not None else [])],
        key=key_of(spec, store),
        documents=documents,
    )
    write_json(store.record("collect"), as_json(record))
    return record


def _long_table(spec: Spec, columns: Mapping[str, Kind]) -> SeriesPoints | EventLog | None:
    """What makes rows of points or of events; None: rows are as they come."""
    if spec.series is not None:
        return SeriesPoints(spec, columns)
    if is_answered(spec):
        return AnsweredEvents(spec, columns)
    return EventLog(spec, columns) if history_column(spec) else None


def _catalogue(spec: Spec, store: Store, points: SeriesPoints | EventLog | None) -> list[str]:
    """Keeps the table of the items, where there is one; gives what a person should know of it."""
    source = items_table.source_of(spec, store)
    if source is None or spec.items is None:
        return []
    known = points.known if isinstance(points, EventLog) else ()
    found, said = items_table.read_table(source, spec.items.item or "item", known)
    write_catalogue(store, found)
    return said


def _sources(spec: Spec, store: Store) -> list[Source]:
    return find(spec.data, store.project, names_of(spec), store.folder / "collect" / PICTURES)


def _checked(source: Source, wanted: list[str]) -> Iterator[RawRow]:
    """The source's rows; a column that its first whole row lacks is an error, not a million rejects."""
    unseen = True
    for raw in source.rows():
        if unseen and raw.values is not None:
            check_columns(wanted, list(raw.values), source)
            unseen = False
        yield raw


def _said_of(source: Source, rows_in: int, refused: dict[str, Refused], spec: Spec) -> str:
    """What a person must know of the one reason for which most rows of the source were rejected; '' = of few.

    Rows without an answer are never too many: a pool that is labelled bit by bit is ordinary.
    Raises: DataError: it is the reason of more rows than `max_rejected` allows.
    """
    group, why = max(refused.items(), key=lambda each: each[1].count, default=("", Refused()))
    share = why.count / max(1, rows_in)
    if share <= LOUD:
        return ""
    words = f"{source.shown} has {why.count:,} of {rows_in:,} rows ({share:.1%}) rejected for one reason"
    if share <= spec.max_rejected or group == MISSING.format(spec.output_column):
        return f"{words}: {why.first}" + (f"; {why.hint}" if why.hint else "")
    form = f"; `formats:` says '{spec.formats[why.column]}'" if why.column in spec.formats else ""
    insist = f"`max_rejected: {min(1.0, share + LOUD):.2g}` in windlass.yaml goes on without these rows"
    raise DataError(
        f"{words}, expected at most {spec.max_rejected:.0%}: {why.first}{form} (all: .windlass/collect/{REJECTS})",
        "; ".join(filter(None, [why.hint, insist])),
    )


def _nothing_left(intake: Intake, sources: list[Source]) -> DataError:
    where = ", ".join(source.shown for source in sources)
    if not intake.rows_in:
        return DataError(f"{where} has no rows, expected at least two of them")
    reason = intake.rejects[0]
    return DataError(
        f"{where} has no row that can be used: all {intake.rows_in:,} were rejected, "
        f"the first (row {reason['row']}) because {reason['reason']}",
        next(iter([*intake.hints.values(), *(why.hint for why in intake.refused.values() if why.hint)]), ""),
    )


def _redact(intake: Intake, spec: Spec, store: Store) -> list[str]:
    """Takes out of the rows what rests on documents that were forgotten; gives what a person should know of it."""
    from windlass.sources.documents.collected import redact

    names, output = list(spec.inputs), intake.values[spec.output_column]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*(intake.values[name] for name in names), strict=True)]
    fates = redact(spec, store, rows, output)
    n_emptied = sum(fate is not None and fate != right for fate, right in zip(fates, output, strict=True))
    intake.values[spec.output_column] = [fate or "" for fate in fates]
    if n_gone := sum(fate is None for fate in fates):
        intake.leave_out([fate is None for fate in fates], FORGOTTEN)
    told = f"{n_emptied:,} questions had their answer in a document that was forgotten: right is now to refuse them"
    return [*([told] if n_emptied else []), *([f"{n_gone:,} rows: {FORGOTTEN}"] if n_gone else [])]


def _write_rejects(folder: Path, intake: Intake, store: Store) -> None:
    gone = forgotten.listed(store)
    rejects = [{**each, "shown": forgotten.shown(gone, each["shown"])} for each in intake.rejects]
    lines = [json.dumps(reject, ensure_ascii=False) for reject in rejects]
    write_text(folder / REJECTS, "".join(f"{line}\n" for line in lines).encode("utf-8", "replace").decode("utf-8"))


def _write_rows(store: Store, intake: Intake) -> None:
    series = [
        pl.Series(name, intake.values[name], dtype=pl.Float64 if kind.stored_as is float else pl.String)
        for name, kind in intake.columns.items()
    ]
    series.append(pl.Series(SPLIT, intake.splits, dtype=pl.String))
    if any(intake.groups):
        series.append(pl.Series(GROUP, intake.groups, dtype=pl.String))
    if any(intake.tests):
        series.append(pl.Series(CHECKS, intake.tests, dtype=pl.String))
    write_collected(store, pl.DataFrame(series))
