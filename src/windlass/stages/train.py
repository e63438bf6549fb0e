"""Splits -> runs, one a candidate, cheapest first, within the minutes; a killed run goes on by itself."""

import shutil
import time
from dataclasses import dataclass

import windlass
from windlass.errors import SpecError, WindlassError, did_you_mean, expected
from windlass.learners import table as learners
from windlass.learners.contract import Budget, Learner, Options
from windlass.records import Progress, Run, Splits, as_json, silent
from windlass.spec import Spec, parse_goal
from windlass.store import Store, fingerprint, read_json, write_json

FAILURES = (WindlassError, RuntimeError, ValueError, ArithmeticError, MemoryError, OSError, ImportError)
"""What a candidate may fail with: the others still run, and the leaderboard tells the reason."""


@dataclass(frozen=True)
class Entry:
    """A candidate: a learner, and its preset or the pretrained model it starts from."""

    name: str
    learner: Learner
    variant: str = ""


def entries(spec: Spec) -> list[Entry]:
    """The candidates of a spec, cheapest first.

    Raises: SpecError: a learner or preset that does not exist, or does not fit the kinds.
    """
    if spec.learners is None:
        output = next(iter(spec.output.values()))
        return [Entry(learner.name, learner) for learner in learners.LEARNERS.values()
                if learner.reads(spec.inputs, output) and not learner.on_request]
    return [_entry(item, spec) for item in spec.learners]


def _entry(item: str | dict[str, str], spec: Spec) -> Entry:
    name, variant = (item, "") if isinstance(item, str) else next(iter(item.items()))
    learner = learners.get(name)
    if not learner.reads(spec.inputs, next(iter(spec.output.values()))):
        fitting = [other.name for other in learners.LEARNERS.values()
                   if other.reads(spec.inputs, next(iter(spec.output.values())))]
        raise SpecError(f"learner '{name}' does not read {expected(sorted(set(spec.inputs.values())))}, "
                        f"expected {expected(fitting)}")
    if variant and learner.presets and variant not in learner.presets:
        raise SpecError(f"preset of '{name}' is '{variant}', expected {expected(learner.presets)}",
                        did_you_mean(variant, learner.presets))
    label = "".join(letter if letter.isalnum() else "-" for letter in variant.lower()).strip("-")[-40:]
    return Entry(f"{name}-{label}" if label else name, learner, variant)


def run_key(spec: Spec, entry: Entry, data: str) -> str:
    """Changes when anything does that the candidate's result depends on."""
    return fingerprint([windlass.__version__, data, entry.learner.name, entry.variant, headline(spec), spec.seed,
                        spec.optimizer, spec.precision, spec.minutes])


def headline(spec: Spec) -> str:
    """The metric that decides: the goal's, else the first of the output's kind."""
    return parse_goal(spec.goal).metric or "macro_f1"


def key_of(spec: Spec, store: Store) -> str:
    data = store.read_record("prepare")["fingerprint"]
    return fingerprint([run_key(spec, entry, data) for entry in entries(spec)])


def train(spec: Spec, store: Store, splits: Splits, progress: Progress = silent) -> list[Run]:
    """Trains every candidate that is not up to date. Each gets its share of the minutes that are left."""
    wanted = entries(spec)
    found = {entry.name: _finished(store, entry, run_key(spec, entry, splits.fingerprint)) for entry in wanted}
    left = spec.minutes * 60 - sum(run.seconds for run in found.values() if run)
    runs = []
    for number, entry in enumerate(wanted):
        run = found[entry.name]
        if run is None:
            to_come = [other for other in wanted[number:] if found[other.name] is None]
            share = entry.learner.cost / max(sum(other.learner.cost for other in to_come), 1e-9)
            run = _train_one(spec, store, splits, entry, Budget(max(left, 0.0) * share), progress)
            left -= run.seconds
        runs.append(run)
    write_json(store.record("train"), {"key": key_of(spec, store), "runs": [as_json(run) for run in runs]})
    return runs


def _finished(store: Store, entry: Entry, key: str) -> Run | None:
    """The candidate's run when it is up to date; what an older key left is removed, what this key began is kept."""
    folder = store.run_folder(entry.name)
    if (folder / "run.json").is_file():
        run = Run(**read_json(folder / "run.json"))
        if run.key == key and run.status == "done":
            return run
    begun = folder / "begun.json"
    if not begun.is_file() or read_json(begun) != {"key": key}:
        shutil.rmtree(folder)
        store.run_folder(entry.name)
        write_json(begun, {"key": key})
    return None


def _train_one(spec: Spec, store: Store, splits: Splits, entry: Entry, budget: Budget, progress: Progress) -> Run:
    folder = store.run_folder(entry.name)
    started = time.monotonic()

    def run(status: str, reason: str = "") -> Run:
        return Run(entry.name, entry.learner.name, status, round(time.monotonic() - started, 3), reason,
                   key=run_key(spec, entry, splits.fingerprint))

    if missing := entry.learner.missing():
        return run("unavailable", missing)
    if entry.learner.cost and budget.seconds < 1:
        return run("out of time", f"the {spec.minutes:g} minutes were used by cheaper candidates; `minutes:` gives more")
    options = Options(folder, headline(spec), spec.seed, entry.variant, spec.optimizer, spec.precision)

    def show(task: str, done: float, total: float, note: str = "") -> None:
        progress(f"train {entry.name}", done, total, note or task)

    progress(f"train {entry.name}", 0, 1, entry.learner.summary)
    try:
        fitted = entry.learner.fit(splits, options, budget, show)
    except FAILURES as error:
        reason = str(error) if isinstance(error, WindlassError) else f"{type(error).__name__}: {error}"
        return run("failed", reason[:500])
    progress(f"train {entry.name}", 1, 1, "")
    validation = fitted.validation if fitted.validation == fitted.validation else None
    result = Run(**{**as_json(run("done")), "validation": validation, "curve": fitted.curve})
    write_json(folder / "run.json", as_json(result))
    return result
