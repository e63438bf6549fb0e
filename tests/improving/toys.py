"""A small product that answers messages, and people who say what would have been right."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from windlass.database.location import log_path
from windlass.database.request_log import Feedback, Logged, RequestLog
from windlass.metrics.measures import Estimate
from windlass.outputs.labelled_row import LabelledRow
from windlass.predictors.artifact import write_golden, write_manifest
from windlass.predictors.contract import Labeller
from windlass.predictors.table import load
from windlass.predictors.tables.linear import write_weights
from windlass.project import Project
from windlass.records import Column, Manifest, Release, as_json
from windlass.registry import releases
from windlass.spec import Spec, parse
from windlass.store.files import hash_folder
from windlass.store.json_files import write_json
from windlass.store.store import Store

from ..stages.conftest import WORDS as MESSAGES_OF

LABELS = ("account", "delivery", "refund")
WORDS = {"account": "password", "delivery": "parcel", "refund": "money"}


def champion(folder: Path, margin: float = 6.0) -> Labeller:
    """Names a label by its word. margin: in logits, between the label of the word and the others; sure of it by 6."""
    words = sorted(WORDS.values())
    column = Column("message", "text", {"form": "terms", "terms": words, "weights": [1.0] * len(words)})
    output = Column("intent", "category", {"form": "label", "labels": list(LABELS), "counts": [2, 2, 2]})
    weights = np.zeros((len(words), 3), np.float32)
    for number, label in enumerate(LABELS):
        weights[words.index(WORDS[label]), number] = margin
    write_weights(folder, [weights], np.zeros(3, np.float32))
    write_manifest(folder, Manifest("linear", "linear", (column,), output))
    write_golden(folder, [], np.zeros((0, 3)))
    found = load(folder)
    assert isinstance(found, Labeller)
    return found


def spec(**improve: object) -> Spec:
    values = ", ".join(f"{name}: {value}" for name, value in improve.items())
    return parse(
        "name: desk\ndata: data.csv\ninputs: {message: text}\noutput: {intent: category}\n"
        f"learners: [linear]\nkeep_inputs: true\nimprove: {{{values}}}\n"
    )


def row(message: str, label: str, caller: str = "", **changes: object) -> LabelledRow:
    return LabelledRow({"message": message}, label, caller=caller, **{"answer": f"{caller}-{message}", **changes})


def fates(rows: Iterable[LabelledRow]) -> list[tuple[str, str]]:
    return [(each.fate, each.reason) for each in rows]


def say(project: Project, rows: Sequence[tuple[str, str]], callers: Sequence[str] = ("",), first: int = 0) -> None:
    """The champion answers the messages, then the callers take turns to say what is right."""
    release = project.champion
    answers = release.predict([{"message": message} for message, _ in rows])
    with RequestLog(log_path(project.store)) as log:
        log.record(
            [
                Logged(f"a{place}", time.time(), release.id, answer.value, answer.confidence, 1.0, {"message": message})
                for place, ((message, _), answer) in enumerate(zip(rows, answers, strict=True), first)
            ],
            100,
        )
        for place, (_, label) in enumerate(rows, first):
            caller = callers[place % len(callers)]
            log.feedback(Feedback(f"a{place}", label, None, "", None, caller)).result(60)


BILLS = ("send me the bill", "invoice is missing", "I need a receipt", "the invoice has a fault")


def taught(n_rows, first=0):
    """Messages in other words, a quarter of them with a label that the product does not know."""
    labels = [*MESSAGES_OF, "invoice"]
    words = {**MESSAGES_OF, "invoice": BILLS}
    return [
        (
            f"{words[labels[place % 4]][place // 4 % 4]} case {place * 7919 % 9973} {'abcdefgh'[place % 8] * 3}",
            labels[place % 4],
        )
        for place in range(first, first + n_rows)
    ]


def released(store: Store, id: str, margin: float, why: releases.Why = releases.PROMOTED) -> Labeller:
    """A release of this id that becomes the champion."""
    folder = releases.folder(store, id)
    made = champion(folder / releases.MODEL, margin)
    record = Release(
        id,
        "desk",
        "linear",
        "accuracy",
        Estimate(0.9, 0.8, 1.0),
        "2026-01-01T00:00:00+00:00",
        "f" * 64,
        hash_folder(folder),
        0.1,
    )
    write_json(folder / releases.RECORD, as_json(record))
    releases.point_to(store, id, why)
    return made


def told(log: RequestLog, release: str, rows: Sequence[tuple[str, str, str, str]]) -> None:
    """Answers of a release with feedback. rows: message, what was answered, what is right, caller."""
    start = time.time_ns()
    log.record(
        [
            Logged(f"{start + n}", time.time(), release, said, 0.9, 1.0, {"message": message})
            for n, (message, said, _, _) in enumerate(rows)
        ],
        100,
    )
    for n, (_, _, right, caller) in enumerate(rows):
        log.feedback(Feedback(f"{start + n}", right, None, "", None, caller)).result(60)
