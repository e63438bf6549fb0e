"""Which of two writers is better: both answer test rows, then a person on a page, or a judge, says which text is."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from windlass.database.preferences import Pair, chosen, training_rows
from windlass.errors import NotReady, SpecError, did_you_mean, expected
from windlass.evaluation.judging import Ask, Verdict, Verdicts, judge, writer_as_judge
from windlass.kinds import chat
from windlass.kinds import table as kinds
from windlass.outputs import table as outputs
from windlass.pages.text.words import count, percent, plain
from windlass.predictors import table as predictors
from windlass.predictors.contract import Predictor
from windlass.records import Json, Progress, Row, Splits, Trained, silent
from windlass.registry import releases
from windlass.remote.requests import Remote
from windlass.serving.contract.settings import Settings
from windlass.serving.http.server import Server, address, bind
from windlass.serving.ui.sidebyside import create_sidebyside
from windlass.sources.prepared import read_splits
from windlass.spec import Spec
from windlass.store.files import hash_folder, write_text
from windlass.store.json_files import fingerprint, read_json, reading, restored, write_json
from windlass.store.store import Store

ANSWERS, PREFERENCES, TRAINING, JUDGED = "answers.json", "preferences.sqlite", "preferences.jsonl", "judged"
BATCH = 16
MOST_ROWS = 10_000
CHAMPION = "champion"
JUDGE_KEY = "WINDLASS_JUDGE_KEY"


@dataclass(frozen=True)
class Plan:
    """Who is compared, on how many test rows, and by whom. judge: where it is and its name; empty: a person, on a page
    at `port`."""

    names: tuple[str, str]
    rows: int = 100
    judge: tuple[str, str] = ("", "")
    port: int = 8000


@dataclass(frozen=True)
class Comparison:
    """Both answers to the same rows, kept where a second call finds them. n_same: rows answered alike, not shown."""

    names: tuple[str, str]
    pairs: Sequence[Pair]
    n_same: int
    folder: Path
    seed: int


def prepare(
    spec: Spec, store: Store, names: tuple[str, str], n_rows: int = 100, progress: Progress = silent
) -> Comparison:
    """Has both answer `n_rows` test rows, evenly spread. names: candidates of the leaderboard, or ids of releases.

    Raises: SpecError: not two of them, or no texts. NotReady: they do not exist.
    """
    unfit = outputs.of(spec).compares
    if unfit is not None:
        kind = spec.output[spec.output_column]
        raise SpecError(f"output '{spec.output_column}' is {kind}, expected text: {unfit.why}", unfit.hint)
    if names[0] == names[1]:
        raise SpecError(f"'{names[0]}' is compared with itself, expected two different ones")
    if not 0 < n_rows <= MOST_ROWS:
        raise SpecError(f"rows is {n_rows}, expected 1 to {MOST_ROWS:,}")
    splits = read_splits(spec, store)
    found = [_open(store, name) for name in names]
    folder = store.stage("compare") / fingerprint([[key for key, _ in found], splits.fingerprint, n_rows])[:16]
    if not (folder / ANSWERS).is_file():
        write_json(folder / ANSWERS, _answers(splits, names, [predictor for _, predictor in found], n_rows, progress))
    with reading(folder / ANSWERS, "pairs of answers", "remove it: they are asked again"):
        pairs = restored(list[Pair], read_json(folder / ANSWERS))
    different = [pair for pair in pairs if pair.first != pair.second]
    return Comparison(names, different, len(pairs) - len(different), folder, spec.seed)


def compare(spec: Spec, store: Store, plan: Plan, progress: Progress = silent) -> Json:
    """What `windlass compare` does. Raises: as `prepare`, `by_person`, `open_judge` and `by_judge`."""
    ask = open_judge(*plan.judge) if any(plan.judge) else None
    prepared = prepare(spec, store, plan.names, plan.rows, progress)
    if ask is not None:
        return by_judge(prepared, ask, " ".join(plan.judge), progress)

    def ready(url: str) -> None:
        sys.stderr.write(f"{url}\n{len(prepared.pairs):,} pairs; Ctrl-C ends it and shows the result\n")

    return by_person(prepared, plan.port, ready)


def by_person(
    comparison: Comparison, port: int = 8000, ready: Callable[[str], None] = lambda url: None, host: str = "127.0.0.1"
) -> Json:
    """Serves the page until SIGINT or SIGTERM, then gives what was preferred and writes `preferences.jsonl`.

    Raises: NotReady: the port is taken. SpecError: an address that others can reach.
    """
    path = comparison.folder / PREFERENCES
    with bind(host, port) as listener:
        app = create_sidebyside(comparison.pairs, path, comparison.seed)
        server = Server(app, Settings().deadline_s, lambda: ready(address(listener)))
        try:
            server.run([listener])
        except SystemExit:
            raise NotReady("server did not start, expected it to listen", "its reason is on stderr") from None
    return preferred(comparison)


def preferred(comparison: Comparison) -> Json:
    """What a person has preferred so far; writes it as rows for preference training too."""
    choices = chosen(comparison.folder / PREFERENCES)
    each: list[Verdict] = [choices[pair.id] for pair in comparison.pairs if pair.id in choices]
    rows = training_rows(comparison.pairs, choices)
    to = comparison.folder / TRAINING
    write_text(to, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    found = Verdicts((*each, *_same(comparison)))
    return {
        **_result(comparison, found, "a person"),
        "position_bias": None,
        "open": len(comparison.pairs) - len(each),
        "training_rows": len(rows),
        "ties_left_out": len(each) - len(rows),
        "file": str(to),
    }


def by_judge(comparison: Comparison, ask: Ask, name: str, progress: Progress = silent) -> Json:
    """Asks a judge about each pair. What it has said is kept under its name, and not asked again.

    Raises: NotReady: the judge does not answer; what it said until then is kept.
    """
    path = comparison.folder / f"{JUDGED}-{fingerprint(name)[:16]}.json"
    with reading(path, "what a judge said", "remove it: they are asked again"):
        said: dict[str, Verdict] = restored(dict[str, str], read_json(path)) if path.is_file() else {}
    for number, pair in enumerate(comparison.pairs):
        progress("judge", number, len(comparison.pairs), "")
        if pair.id not in said:
            said[pair.id] = judge([pair.first], [pair.second], [pair.asked], ask).each[0]
            write_json(path, said)
    if comparison.pairs:
        progress("judge", len(comparison.pairs), len(comparison.pairs), "")
    each = tuple(said[pair.id] for pair in comparison.pairs)
    return _result(comparison, Verdicts((*each, *_same(comparison))), name)


def open_judge(where: str, name: str) -> Ask:
    """A model behind an OpenAI-compatible URL, its key in WINDLASS_JUDGE_KEY; or a release in a project folder.

    Raises: SpecError: neither. NotReady: no such release.
    """
    if "://" in where:
        return Remote(where, name, JUDGE_KEY if os.environ.get(JUDGE_KEY) else "")
    folder = Path(where)
    if not folder.is_dir():
        raise SpecError(
            f"judge is {plain(where, 100)}, expected a URL such as http://127.0.0.1:8000/v1, or a project folder"
        )
    store = Store(folder.resolve())
    return writer_as_judge(releases.open_release(store, _id(store, name))[1])


def text(result: Mapping[str, Any]) -> str:
    """The result for a terminal."""
    first, second = (plain(result[place], 40) for place in ("first_name", "second_name"))
    lines = [
        f"{first} against {second}, by {plain(result['by'], 60)}: {count(result['pairs'])} pairs of answers",
        f"  {first} better   {count(result['first'])}",
        f"  {second} better   {count(result['second'])}",
        f"  ties   {count(result['ties'])}, of them {count(result['same'])} the same text",
    ]
    if result["win_rate"] is not None:
        rate = result["win_rate"]
        lines.append(f"  win rate of {first}   {rate['value']:.3f} [{rate['low']:.3f}, {rate['high']:.3f}], a tie half")
    if result["position_bias"] is not None:
        lines.append(f"  position bias   {percent(result['position_bias'])} of the verdicts changed with the place")
    if result["unread"]:
        lines.append(f"  left out   {count(result['unread'])}: the judge gave no verdict")
    if "file" in result:
        lines += [
            f"  {count(result['training_rows'])} rows for preference training, {count(result['ties_left_out'])} ties "
            f"left out: {result['file']}",
            f"  {count(result['open'])} pairs are open: the same command goes on with them",
        ]
    return "\n".join(lines)


def _same(comparison: Comparison) -> tuple[Verdict, ...]:
    same: Verdict = "same"
    return (same,) * comparison.n_same


def _result(comparison: Comparison, found: Verdicts, by: str) -> Json:
    names = {"first_name": comparison.names[0], "second_name": comparison.names[1]}
    return {**names, "by": by, "same": comparison.n_same, **found.as_json()}


def _open(store: Store, name: str) -> tuple[Any, Predictor]:
    """What a candidate or release is made of, and what answers from it. Raises: NotReady, DataError, GateRefused."""
    runs = store.read("train", Trained).runs if store.record("train").is_file() else []
    trained = [run.name for run in runs if run.status == "done"]
    if name in trained:
        artifact = store.run_folder(name) / "artifact"
        return hash_folder(artifact), predictors.load(artifact)
    known = [release["id"] for release in releases.listing(store)]
    if name != CHAMPION and name not in known:
        options = [*trained, *known]
        raise NotReady(
            f"'{plain(name, 60)}' is no candidate or release of {store.project}, expected {expected(options)}",
            did_you_mean(name, options),
        )
    release, predictor = releases.open_release(store, _id(store, name))
    return release.files, predictor


def _id(store: Store, name: str) -> str:
    return releases.champion_id(store) if name == CHAMPION else name


def _answers(
    splits: Splits, names: tuple[str, str], writers: Sequence[Predictor], n_rows: int, progress: Progress
) -> list[Json]:
    """The pairs as JSON."""
    rows = splits.test.select(list(splits.inputs)).to_dicts()
    n_rows = min(n_rows, len(rows))
    rows = [rows[place * len(rows) // n_rows] for place in range(n_rows)]
    answers: list[list[str]] = []
    for name, writer in zip(names, writers, strict=True):
        said: list[str] = []
        for start in range(0, len(rows), BATCH):
            progress("answer", start, len(rows), name)
            said += [_clean(answer.value) for answer in writer.answer(rows[start : start + BATCH], splits.root)]
        progress("answer", len(rows), len(rows), name)
        answers.append(said)
    pairs = []
    for row, first, second in zip(rows, *answers, strict=True):
        prompt = _prompt(row, splits.inputs)
        asked = _asked(row, splits.inputs)
        id = fingerprint([asked, first, second])[:16]
        pairs.append({"id": id, "asked": asked, "first": first, "second": second, "prompt": prompt})
    return list({pair["id"]: pair for pair in pairs}.values())


def _clean(value: Any) -> str:
    """Text that JSON can hold: no half of a surrogate pair."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _asked(row: Row, inputs: Mapping[str, str]) -> str:
    """The row as a person reads it."""
    shown = {
        name: _clean(row[name] or "") if kinds.get(kind).turns is None else chat.as_text(chat.read(row[name], None))
        for name, kind in inputs.items()
    }
    if len(shown) == 1:
        return next(iter(shown.values()))
    return "\n".join(f"{name}: {said}" for name, said in shown.items())


def _prompt(row: Row, inputs: Mapping[str, str]) -> Any:
    """The row as preference training reads it: messages where it is one conversation, else text."""
    if len(inputs) == 1 and kinds.has_turns(inputs):
        return chat.messages(chat.read(row[next(iter(inputs))], None))
    return _asked(row, inputs)
