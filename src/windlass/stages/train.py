"""Splits -> runs, one a candidate, in the table's order, within the minutes; a killed run goes on by itself."""

import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import windlass
from windlass.errors import NotReady, SpecError, WindlassError, did_you_mean, expected
from windlass.learners import table as learners
from windlass.learners.contract import Budget, Learner, Options, OutOfTime
from windlass.outputs import table as outputs
from windlass.records import Prepared, Progress, Run, Splits, WarmStart, as_json, silent
from windlass.sources.prepared import read_starts
from windlass.spec import Language, Spec
from windlass.store import stage_times
from windlass.store.files import hash_file
from windlass.store.json_files import fingerprint, read_as, read_json, write_json
from windlass.store.store import Store

RUN, BEGUN, WARM = "run.json", "begun.json", "warm"
MOST_BEFORE = 0.3
"""Share of the minutes that reading and splitting the data may take from the candidates."""


@dataclass(frozen=True)
class Entry:
    """A candidate: a learner, and its preset or the pretrained model it starts from; start: weights it begins with."""

    name: str
    learner: Learner
    variant: str = ""
    start: WarmStart | None = None


def entries(spec: Spec) -> list[Entry]:
    """The candidates of a spec, in the order of the table.

    Raises: SpecError: a learner or preset that does not exist, or does not fit the kinds.
    """
    if spec.learners is None:
        output = next(iter(spec.output.values()))
        return [
            Entry(learner.name, learner)
            for learner in learners.LEARNERS.values()
            if learner.reads(spec.inputs, output) and not learner.on_request
        ]
    return [_entry(item, spec) for item in spec.learners]


def _entry(item: str | dict[str, str], spec: Spec) -> Entry:
    name, variant = (item, "") if isinstance(item, str) else next(iter(item.items()))
    learner = learners.get(name)
    if not learner.reads(spec.inputs, next(iter(spec.output.values()))):
        fitting = [
            other.name
            for other in learners.LEARNERS.values()
            if other.reads(spec.inputs, next(iter(spec.output.values())))
        ]
        output = next(iter(spec.output.values()))
        lacks = f"does not read {expected(sorted(set(spec.inputs.values())))}"
        lacks = lacks if output in learner.output else f"gives no {output}"
        raise SpecError(f"learner '{name}' {lacks}, expected {expected(fitting)}")
    if variant and learner.presets and variant not in learner.presets:
        raise SpecError(
            f"preset of '{name}' is '{variant}', expected {expected(learner.presets)}",
            did_you_mean(variant, learner.presets),
        )
    if variant and name in learners.WITHOUT_VARIANTS:
        raise SpecError(f"learner '{name}' is given '{variant}', expected its name alone", f"`learners: [{name}]`")
    label = "".join(letter if letter.isalnum() else "-" for letter in variant.lower()).strip("-")[-40:]
    return Entry(f"{name}-{label}" if label else name, learner, variant)


def candidates(spec: Spec, store: Store) -> list[Entry]:
    """The entries; each that can go on from the champion's weights stands there twice: so, and after it from scratch.

    A warm start ends sooner, and what it leaves of the minutes is for the other.
    """
    starts = {(start.learner, start.variant): start for start in read_starts(store)}
    found = []
    for entry in entries(spec):
        start = starts.get((entry.learner.name, entry.variant))
        if start is not None and entry.learner.warm_starts:
            found.append(replace(entry, name=f"{WARM}-{entry.name}", start=start))
        found.append(entry)
    return found


def run_key(spec: Spec, entry: Entry, data: str, made_of: Sequence[str] = ()) -> str:
    """Changes when anything does that the candidate's result depends on."""
    return fingerprint(
        [
            windlass.__version__,
            data,
            entry.learner.name,
            entry.variant,
            outputs.goal(spec).metric,
            spec.seed,
            spec.optimizer,
            spec.precision,
            spec.minutes,
            list(made_of),
            spec.language.model_dump(),
            *([spec.monotone] if spec.monotone else []),
            *([level] if entry.learner.leans and (level := outputs.of(spec).level(spec)) else []),
            *([as_json(entry.start)] if entry.start is not None else []),
            *([ways] if (ways := {**spec.formats, **spec.labels.merge}) else []),
            *([spec.series.model_dump()] if spec.series is not None else []),
        ]
    )


def _taught(spec: Spec, store: Store, data: str) -> str:
    """The fingerprint of all that is learned from: the rows, and the preferences where there are any."""
    path = store.project / spec.language.preferences
    return fingerprint([data, hash_file(path)]) if spec.language.preferences and path.is_file() else data


def _language(spec: Spec, store: Store) -> Language:
    """The section as learners get it: its paths are no longer relative to the project."""
    if not spec.language.preferences:
        return spec.language
    return spec.language.model_copy(update={"preferences": str(store.project / spec.language.preferences)})


def _place(variant: str, store: Store) -> str:
    """The variant as learners get it: a folder is found from the project, wherever the command was given."""
    path = store.project / variant
    if not variant or not (path / "config.json").is_file() or (Path(variant).is_dir() and path.samefile(variant)):
        return variant
    return str(path)


def _with_model(entry: Entry, store: Store, data: str) -> str:
    """The fingerprint of the rows, and of the folder with the model that the candidate starts from, if it does."""
    place = Path(_place(entry.variant, store))
    if not entry.variant or not place.is_dir():
        return data
    files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(place.iterdir())]
    return fingerprint([data, files])


def key_of(spec: Spec, store: Store) -> str:
    """Changes when a candidate's key does, or when an optional part was installed that one was waiting for."""
    data = _taught(spec, store, store.read("prepare", Prepared).fingerprint)
    keys: list[Any] = [
        [run_key(spec, entry, _with_model(entry, store, data)), entry.learner.missing()]
        for entry in candidates(spec, store)
    ]
    return fingerprint(keys + [each for each in (spec.threshold, spec.costs, spec.unit) if each])


def _settled(run: Run, spec: Spec, store: Store, splits: Splits) -> Run:
    """The run with what needs no training decided in its artifact, such as the threshold between two labels."""
    if run.status != "done":
        return run
    reached = outputs.of(spec).tune_decision(store.run_folder(run.name), splits, spec, outputs.learned_metric(spec))
    return run if reached is None else replace(run, validation=None if math.isnan(reached) else reached)


def train(spec: Spec, store: Store, splits: Splits, progress: Progress = silent) -> list[Run]:
    """Trains every candidate that is not up to date. Each gets its share of the minutes that are left."""
    outputs.of(spec).check_rows(spec, splits)
    wanted = candidates(spec, store)
    data = _taught(spec, store, splits.fingerprint)
    minutes = spec.minutes * 60 - min(MOST_BEFORE * spec.minutes * 60, stage_times.before(store, "train"))
    refused = {entry.name: _refusal(entry, splits, store) for entry in wanted}
    runs: list[Run] = []
    for number, entry in enumerate(wanted):
        made_of = [run.name for run in runs if run.status == "done" and run.learner != "majority"]
        key = run_key(spec, entry, _with_model(entry, store, data), made_of if entry.learner.of_runs else ())
        taught = run_key(spec, entry, _with_model(entry, store, splits.taught)) if splits.taught else ""
        run = _renewed(store, entry, (key, taught), splits, progress) or _finished(store, entry, key)
        if run is None:
            waiting = sum(other.learner.cost for other in wanted[number:] if not refused[other.name])
            share = entry.learner.cost / max(waiting, 1e-9)
            seconds = max(minutes - sum(run.seconds for run in runs), 0.0) * share
            options = Options(
                store.run_folder(entry.name),
                outputs.learned_metric(spec),
                spec.seed,
                _place(entry.variant, store),
                spec.optimizer,
                spec.precision,
                {name: store.run_folder(name) for name in made_of},
                _language(spec, store),
                spec.monotone,
                outputs.of(spec).level(spec),
                entry.start,
            )
            run = Run(entry.name, entry.learner.name, "unavailable", 0.0, refused[entry.name], key=key)
            if not refused[entry.name]:
                run = _train_one(entry, options, splits, Budget(seconds), store, progress)
                run = replace(run, key=key, taught=taught)
            write_json(options.folder / RUN, as_json(run))
        runs.append(_settled(run, spec, store, splits))
    write_json(store.record("train"), {"key": key_of(spec, store), "runs": [as_json(run) for run in runs]})
    return runs


def keep_learned(spec: Spec, store: Store, splits: Splits) -> None:
    """What was learned stays, though rows have changed with the documents: the next `train` makes the index alone anew,
    where the learner can."""
    for entry in candidates(spec, store):
        place = store.run_folder(entry.name) / RUN
        if place.is_file():
            taught = run_key(spec, entry, _with_model(entry, store, splits.taught)) if splits.taught else ""
            write_json(place, as_json(replace(read_as(place, Run), taught=taught)))


def _renewed(store: Store, entry: Entry, keys: tuple[str, str], splits: Splits, progress: Progress) -> Run | None:
    """The candidate's run with its index made anew, where only documents have changed since it was trained; None: they
    are the same, or it is to be trained anew. keys: of all, and of all but the documents."""
    folder, (key, taught) = store.run_folder(entry.name), keys
    if entry.learner.refresh is None or not taught or not (folder / RUN).is_file():
        return None
    run = read_as(folder / RUN, Run)
    if run.status != "done" or run.key == key or run.taught != taught:
        return None
    try:
        fitted = entry.learner.refresh(splits, Options(folder), Budget(0), progress)
    except WindlassError as error:  # such as an artifact that is damaged, or of an older format: it is trained anew
        progress(f"train {entry.name}", 0, 1, store.reason(f"renewing {entry.name}", error))
        return None
    if fitted is None:
        return None
    run = replace(run, key=key, renewed=True)
    write_json(folder / BEGUN, {"key": key})
    write_json(folder / RUN, as_json(run))
    return run


def _finished(store: Store, entry: Entry, key: str) -> Run | None:
    """The candidate's run when it is up to date; what an older key left is removed, what this key began is kept."""
    folder = store.run_folder(entry.name)
    if (folder / RUN).is_file():
        run = read_as(folder / RUN, Run)
        if run.key == key and run.status == "done":
            return run
    begun = folder / BEGUN
    if not begun.is_file() or read_json(begun) != {"key": key}:
        shutil.rmtree(folder)
        store.run_folder(entry.name)
        write_json(begun, {"key": key})
    return None


def _refusal(entry: Entry, splits: Splits, store: Store) -> str:
    """Why the candidate cannot learn here, or nothing."""
    try:
        return entry.learner.missing() or entry.learner.refuse(splits, entry.variant)
    except Exception as error:  # noqa: BLE001  as in `_train_one`
        return store.reason(f"asking whether {entry.name} can learn", error)


def _train_one(entry: Entry, options: Options, splits: Splits, budget: Budget, store: Store, progress: Progress) -> Run:
    """The candidate's run, whatever became of it: the others still run, and the leaderboard tells the reason."""
    started = time.monotonic()

    def run(status: str, reason: str = "") -> Run:
        return Run(entry.name, entry.learner.name, status, round(time.monotonic() - started, 3), reason)

    def show(task: str, done: float, total: float, note: str = "") -> None:
        progress(f"train {entry.name}", done, total, note or task)

    if entry.learner.cost and budget.seconds < 1:
        return run("out of time", "cheaper candidates used the minutes; `minutes:` gives more")
    show(entry.learner.summary, 0, 1)
    try:
        fitted = entry.learner.fit(splits, options, budget, show)
    except OutOfTime as error:
        ended = run("out of time", str(error))
    except NotReady as error:
        ended = run("unavailable", store.reason(f"training {entry.name}", error))
    except Exception as error:  # noqa: BLE001  a learner may fail with anything; what is not foreseen is logged
        ended = run("failed", store.reason(f"training {entry.name}", error))
    else:
        validation = None if math.isnan(fitted.validation) else fitted.validation
        ended = replace(run("done"), validation=validation, curve=fitted.curve)
    show(ended.status, 1, 1)  # not of what was interrupted
    return ended
