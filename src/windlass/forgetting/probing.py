"""What was forgotten is asked for: title and each sentence, of the index, of every file and of the log."""

import json

from windlass.database import erasure
from windlass.database.backend import Database
from windlass.errors import DataError
from windlass.forgetting.receipt import Probes
from windlass.forgetting.traces import traces
from windlass.forgetting.words import Words
from windlass.predictors.contract import Predictor, seen_by
from windlass.records import Row
from windlass.registry import releases
from windlass.store.store import Store

BATCH = 64
MOST_ASKED = 500
"""Characters of a question: a row of a table may be longer than what anybody may ask."""


def probe(store: Store, place: Database, words: Words, release: str) -> Probes:
    """What still knows the document. release: the champion, '' where there is none."""
    found, n_files = traces(store.folder, words, ("forget",))
    log = erasure.found(place, words.in_records)
    counts = {"log": len(log["answers"]), "feedback": len(log["feedback"]), "jobs": len(log["jobs"])}
    n_hits = 0
    if release:
        _, predictor = releases.open_release(store, release)
        n_hits = sum(_answers_hit(seen_by(predictor, None), words))
    n_asked, told = len(words.asked) if release else 0, {"shared": words.n_shared, "short": len(words.short)}
    return Probes(n_asked, n_hits, n_files, tuple(found), **counts, **told)


def _answers_hit(predictor: Predictor, words: Words) -> list[bool]:
    """Of each question whether its answer or the passages found are of the document, or quote it."""
    names = [column.name for column in predictor.manifest.inputs]
    asked: list[Row] = [dict.fromkeys(names, text[:MOST_ASKED]) for text in words.asked]
    hits = []
    for start in range(0, len(asked), BATCH):
        for answer in _answered(predictor, asked[start : start + BATCH]):
            hits.append(words.in_record(json.dumps(answer, ensure_ascii=False)))
    return hits


def _answered(predictor: Predictor, rows: list[Row]) -> list[object]:
    """The answers; a row that no question can be has none."""
    try:
        return [answer.value for answer in predictor.answer(rows)]
    except DataError:
        if len(rows) == 1:
            return [{}]
    return [answer for row in rows for answer in _answered(predictor, [row])]
