"""A document is forgotten, step by step; what is to be done is written down first, so that a killed attempt goes on.

The order: it is listed, so that nothing reads it again; the champion is made anew without it; the releases that hold it
are destroyed; the log is cleaned when nobody can add to it from them any more; then it is asked for.
"""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from windlass import lifecycle
from windlass.database import erasure
from windlass.database.backend import Database
from windlass.errors import DataError, NotReady, WindlassError, did_you_mean
from windlass.forgetting import rows
from windlass.forgetting.probing import probe
from windlass.forgetting.receipt import Receipt
from windlass.forgetting.traces import traces
from windlass.forgetting.words import Words, words_of
from windlass.improving import attempts
from windlass.predictors.passages.answerer import passages_of
from windlass.predictors.passages.engine import PASSAGES
from windlass.predictors.passages.vectors import drop_outside
from windlass.records import Passage, Progress, as_json, silent
from windlass.registry import destroyed, releases
from windlass.registry.audit_log import Why
from windlass.sources.documents import forgotten
from windlass.sources.documents.collected import digests, rejected
from windlass.sources.documents.forgotten import Forgotten
from windlass.sources.prepared import read_passages, read_splits
from windlass.spec import Spec
from windlass.stages.release import ReleaseRequest, publish_release
from windlass.stages.train import WARM, entries, keep_learned
from windlass.store.files import hash_file
from windlass.store.json_files import fingerprint, read_json, reading, restored, write_json
from windlass.store.stage_keys import release_key
from windlass.store.store import Store

WORD = forgotten.TASKS
REBUILT = ("prepare", "train", "evaluate", "explain")
"""Folders of stages that are made anew; what was learned by the champion's learner stays in that of `train`."""
KEPT = frozenset({"release/champion.json", "release/trail.jsonl"})
SHOWN_ANEW = ("watch/watch.html", "watch/watch.json")
"""They tell of questions and documents without quoting them; the next `watch` writes them."""
GONE = ("answers", "feedback", "jobs", "people_answers")
LIVE_S, SETTLE_S, N_TRIES = 600.0, 3.0, 3
"""An answer so long ago tells of a server that runs: it swaps within so long, and may log until then."""


@dataclass(frozen=True)
class Task:
    """What is to be done, until it is done: the only place where words of the document are kept meanwhile.

    learned, removed, gone, insisted: what attempts before this one did, as in `Receipt`; gone: by place of the log.
    """

    entry: Forgotten
    words: Words
    passages: int
    is_served: bool
    item: str = ""
    variant: str = ""
    learned: int = 0
    removed: tuple[str, ...] = ()
    insisted: tuple[str, ...] = ()
    gone: dict[str, int] = field(default_factory=lambda: dict.fromkeys(GONE, 0))


def called(spec: Spec, store: Store, name: str) -> str:
    """As `names_document`. Raises: NotReady: it is none, and no answer's id either: these have no dot and no slash."""
    found = names_document(spec, store, name)
    if found or not spec.documents or (name.strip() and not set(name) & set("./\\")):
        return found
    raise _unknown(spec, store, name)


def _unknown(spec: Spec, store: Store, name: str) -> NotReady:
    """That there is no such document; with the only one of that name in another folder, or one that is spelled alike."""  # noqa: E501
    names = sorted(digests(store))
    base = Path(name.replace("\\", "/")).name.casefold()
    same = [each for each in names if base and Path(each).name.casefold() == base]
    hint = f"did you mean '{same[0]}'?" if len(same) == 1 else did_you_mean(name, same or names)
    return NotReady(f"there is no document '{name[:80]}', expected one of {spec.documents}", hint)


def names_document(spec: Spec, store: Store, name: str) -> str:
    """The document's path, where the name is that of a document that is or was there; '' where it is none."""
    if not spec.documents:
        return ""
    path = name.replace("\\", "/").removeprefix("./").removeprefix(spec.documents.rstrip("/") + "/")
    known = {*digests(store), *(each.document for each in forgotten.listed(store))}
    lies = (store.project / spec.documents / path).is_file() and ".." not in Path(path).parts
    return path if lies or path in known or _task(store, path).is_file() or _of_releases(store, path) else ""


def forget_document(spec: Spec, store: Store, place: Database, document: str, progress: Progress = silent) -> Receipt:
    """Forgets it, in every version that is known, and proves it; an attempt that was killed goes on.

    Raises: NotReady: there is no such document, another command is at work, or a server of vectors is gone. DataError:
    it is still found: the message says where.
    """
    started = time.perf_counter()
    with attempts.locked(store):
        with store.lock():
            pass  # nobody else works here, so that what is begun can be ended
        task = _resumed(store, document) or _begun(spec, store, document)
        forgotten.keep(store, task.entry)
        receipt = Receipt(document, task.entry.at, task.entry.contents, task.passages, len(task.entry.emptied),
                          len(task.entry.dropped))  # fmt: skip
        task = _noted(store, task, learned=task.learned + attempts.forget_where(store, task.words.in_record))
        receipt = _rebuilt(spec, store, task, receipt, progress)
        task = _noted(store, task, insisted=receipt.insisted or task.insisted)
        holding = _holding(store, task.words, but=receipt.release)
        for id in holding:  # before its files are gone: their digest is the name of the table
            drop_outside(releases.folder(store, id))
        releases.destroy(store, holding, document, task.entry.at)
        task = _noted(store, task, removed=tuple(dict.fromkeys([*task.removed, *_removed(store, task.words)])))
        task = _log_cleaned(store, place, task)
        receipt = replace(receipt, learned=task.learned, removed=task.removed, insisted=task.insisted,
                          answers=task.gone["answers"], feedback=task.gone["feedback"], jobs=task.gone["jobs"],
                          people_answers=task.gone["people_answers"],
                          destroyed=tuple(destroyed.because_of(store, document, task.entry.at)),
                          people_kept=erasure.people_left(place))  # fmt: skip
        receipt = replace(receipt, probes=probe(store, place, task.words, receipt.release),
                          still_there=tuple(_still_there(spec, store, task.entry)))  # fmt: skip
        receipt = replace(receipt, seconds=round(time.perf_counter() - started, 2))
        write_json(store.stage(WORD) / f"{_name(document)}{forgotten.RECEIPT}.json", as_json(receipt))
        if receipt.probes.hits:
            raise DataError(f"'{document}' is not forgotten: {_where(receipt)}", "`windlass forget` again goes on")
        _task(store, document).unlink()
    return receipt


def _name(document: str) -> str:
    return fingerprint(document)[:16]


def _task(store: Store, document: str) -> Path:
    return store.folder / WORD / f"{_name(document)}.json"


def _resumed(store: Store, document: str) -> Task | None:
    path = _task(store, document)
    if not path.is_file():
        return None
    with reading(path, "what is to be forgotten", "remove it, then `windlass forget` again"):
        task: Task = restored(Task, read_json(path))
    return task


def _noted(store: Store, task: Task, **done: Any) -> Task:
    """The task with what is done now, on disk: a receipt after a kill counts what was done before it, too."""
    task = replace(task, **done)
    write_json(_task(store, task.entry.document), as_json(task))
    return task


def _begun(spec: Spec, store: Store, document: str) -> Task:
    """What is to be done, on disk. Raises: NotReady: nothing is known of the document."""
    known = read_passages(spec, store) or [] if store.record("collect").is_file() else []
    of_releases = _of_releases(store, document)
    gone = [each for each in known if each.document == document] + of_releases
    contents = dict.fromkeys(digests(store).get(document, ()))
    file = store.project / spec.documents / document
    if file.is_file():
        contents[hash_file(file)] = None
    before = next((each for each in reversed(forgotten.listed(store)) if each.document == document), None)
    if not gone and before is not None and contents.keys() <= set(before.contents):
        raise NotReady(
            f"'{document}' was forgotten on {before.day}, expected a document that is there",
            f"its receipt is .windlass/{WORD}/{_name(document)}{forgotten.RECEIPT}.json",
        )
    if not gone and not contents:
        raise _unknown(spec, store, document)
    words = words_of(document, gone, [each for each in known if each.document != document])
    at = datetime.now(UTC).isoformat(timespec="seconds")
    emptied, dropped = rows.affected(spec, store, words, gone)
    entry = Forgotten(document, at, tuple(contents), tuple(emptied), tuple(dropped))
    item, variant = _learner(spec, store)
    is_served = bool(releases.lineage(store))
    task = Task(entry, words, sum(each.document == document for each in known), is_served, item, variant)
    write_json(store.stage(WORD) / _task(store, document).name, as_json(task))
    return task


def _of_releases(store: Store, document: str) -> list[Passage]:
    """Its passages in all releases that there are."""
    found = []
    for path in sorted((store.folder / "release").glob(f"*/{releases.MODEL}/{PASSAGES}")):
        found += [each for each in passages_of(read_json(path), path) if each.document == document]
    return found


def _learner(spec: Spec, store: Store) -> tuple[str, str]:
    """The learner of the champion and its variant, so that no other one is tried; '' where that is not known."""
    line = releases.lineage(store)
    name = releases.record(store, line[0]).candidate.removeprefix(f"{WARM}-") if line else ""
    found = next((each for each in entries(spec) if each.name == name), None)
    return (found.learner.name, found.variant) if found is not None else ("", "")


def _rebuilt(spec: Spec, store: Store, task: Task, receipt: Receipt, progress: Progress) -> Receipt:
    """The champion without the document, made by the learner that was chosen; what cannot be made is told, not raised:
    to forget goes before to answer."""
    if _is_clean(store, task.words):
        line = releases.lineage(store)
        return replace(receipt, release=line[0] if line else "", fault="" if line else "nothing was released")
    said: str | dict[str, str] = {task.item: task.variant} if task.variant else task.item
    narrowed = spec.model_copy(update={"learners": [said]}) if task.item else spec
    kept = {entry.name for entry in entries(narrowed)} if task.item else set[str]()
    for word in REBUILT:
        for path in (store.folder / word).glob("*"):
            if word != "train" or path.name not in kept:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    try:
        if not task.is_served:
            lifecycle.run(spec, store, progress, _unheard, "prepare")
            return replace(receipt, fault="nothing was released")
        lifecycle.run(narrowed, store, progress, _unheard, "prepare")
        keep_learned(narrowed, store, read_splits(narrowed, store))
        lifecycle.run(narrowed, store, progress, _unheard, "train")
        for name in kept:  # what was learned quotes it, such as a golden question: it is learned anew
            if traces(store.run_folder(name), task.words)[0]:
                shutil.rmtree(store.run_folder(name))
        lifecycle.run(narrowed, store, progress, _unheard, "evaluate")
        board = lifecycle.read_board(store)
        made = publish_release(narrowed, store, store, board, progress, ReleaseRequest("", anyway=True))
    except NotReady:  # something is missing, or another command is at work: later the same goes on
        raise
    except WindlassError as error:
        if traces(store.folder / "collect", task.words)[0]:
            shutil.rmtree(store.folder / "collect")
        return replace(receipt, fault=error.message)
    against = {"insisted": "; ".join(made.insisted)} if made.insisted else {}
    why = Why("promote", "windlass forget", f"'{receipt.document}' was forgotten", against)
    releases.point_to(store, made.id, why)
    write_json(store.record("release"), {"key": release_key(narrowed, store), "id": made.id})
    return replace(receipt, release=made.id, insisted=tuple(made.insisted))


def _unheard(word: str, skipped: bool) -> None:
    """Of a stage that is done."""


def _is_clean(store: Store, words: Words) -> bool:
    """Neither the stages nor the champion know the document."""
    line = releases.lineage(store)
    champion = [store.folder / "release" / line[0]] if line else []
    stages = [store.folder / word for word in ("collect", *REBUILT)]
    return not any(traces(folder, words)[0] for folder in (*stages, *champion))


def _holding(store: Store, words: Words, but: str) -> list[str]:
    """The releases in which a file quotes the document or names it, but for the one that was made without it."""
    found, _ = traces(store.folder / "release", words)
    ids = dict.fromkeys(name.split("/")[0] for name in found if "/" in name)
    known = {path.parent.name for path in (store.folder / "release").glob(f"*/{releases.RECORD}")}
    return sorted((ids.keys() & known) - {but})


def _removed(store: Store, words: Words) -> list[str]:
    """Files that quote the document and are made anew by the next run, such as the page of a plan; they are deleted."""
    gone = []
    for name in traces(store.folder, words, (WORD, "serve"))[0]:
        first = name.split("/")[0]
        if name in KEPT or first in ("release", "collect") or name.endswith(attempts.JOURNAL):
            continue
        (store.folder / name).unlink(missing_ok=True)
        gone.append(name)
    for name in SHOWN_ANEW:
        if (store.folder / name).is_file():
            (store.folder / name).unlink()
            gone.append(name)
    return gone


def _log_cleaned(store: Store, place: Database, task: Task) -> Task:
    """Log, feedback and jobs without it; looked at again while a server may still write from an old release."""
    is_live = time.time() - erasure.latest(place) < LIVE_S
    for number in range(N_TRIES):
        if number and is_live:
            time.sleep(SETTLE_S)
        gone, _ = erasure.erase(place, task.words.in_records)
        task = _noted(store, task, gone={name: task.gone[name] + gone[name] for name in GONE})
        if not is_live or (number and not any(gone.values())):
            break
    return task


def _still_there(spec: Spec, store: Store, entry: Forgotten) -> list[str]:
    """Files of the user's own that hold it."""
    found = [f"{spec.documents.rstrip('/')}/{path}" for path in rejected(store) if _is_of(spec, store, path, entry)]
    data: Sequence[Any] = [spec.data] if isinstance(spec.data, str) else list(spec.data.values())
    return [*found, *(map(str, data) if entry.emptied or entry.dropped else ())]


def _is_of(spec: Spec, store: Store, path: str, entry: Forgotten) -> bool:
    file = store.project / spec.documents / path
    return path == entry.document or (file.is_file() and hash_file(file) in entry.contents)


def _where(receipt: Receipt) -> str:
    probes = receipt.probes
    parts = [f"{probes.index:,} answers", *(f".windlass/{name}" for name in probes.traces[:5])]
    counts = {
        "answers of the log": probes.log,
        "feedback": probes.feedback,
        "jobs": probes.jobs,
        "answers of people": probes.people_answers,
    }
    parts = parts if probes.index else parts[1:]
    return "found in " + ", ".join([*parts, *(f"{n:,} {name}" for name, n in counts.items() if n)])
