"""Run + rows -> why: test rows that the chosen candidate answered right, wrong and without being sure, explained."""

from collections.abc import Sequence
from time import monotonic

import numpy as np

from windlass.errors import WindlassError
from windlass.pages.explanations import Explained, explanations
from windlass.predictors import table as predictors
from windlass.predictors.attribution import explain as attribute
from windlass.predictors.contract import Labeller, Predictor
from windlass.predictors.occlusion import Effort
from windlass.records import Board, Json, Progress, Row, Splits, silent
from windlass.spec import Spec
from windlass.store import Store, fingerprint, write_json, write_text

REPORT = "report.html"
N_LOOKED_AT, N_EACH = 500, 3
AS_LIKELY = 0.5
"""The share of the likeliest answer's probability that the next one has where the two are about as likely."""
SECONDS = 20.0
"""For all rows together: an explanation that does not fit is left out."""


def key_of(spec: Spec, store: Store) -> str:
    return fingerprint([store.key("evaluate"), "explain"])


def explain(spec: Spec, store: Store, splits: Splits, board: Board, progress: Progress = silent) -> Json:
    """Explains a few test rows through the artifact that would be served; writes `explain/report.html`."""
    predictor = predictors.load(store.run_folder(board.chosen) / "artifact")
    looked_at = splits.test.head(N_LOOKED_AT).to_dicts()
    picked = _picked(predictor, looked_at, splits)
    found: list[Explained] = []
    refusal, until = "", monotonic() + SECONDS
    for number, (group, row) in enumerate(picked):
        progress("explain", number, len(picked), group)
        try:
            why = attribute(predictor, [row], splits.root, effort=lambda: Effort(until=until))[0]
        except WindlassError as error:
            refusal = error.message
            break
        found.append(Explained(group, str(row[splits.output_column]), why))
    progress("explain", len(picked), len(picked), "")
    where = store.stage("explain") / REPORT
    write_text(where, explanations(spec.name, board.chosen, found, refusal))
    record: Json = {
        "key": key_of(spec, store),
        "candidate": board.chosen,
        "rows": [{"group": each.group, "truth": each.truth, **each.explanation.as_json()} for each in found],
        "refusal": refusal,
        "report": str(where.relative_to(store.project)),
    }
    write_json(store.record("explain"), record)
    return record


def _picked(predictor: Predictor, rows: Sequence[Row], splits: Splits) -> list[tuple[str, Row]]:
    """The surest mistakes, answers between two that are about as likely, and the surest right ones; of texts the
    first rows."""
    if not isinstance(predictor, Labeller):
        return [("first", row) for row in rows[:N_EACH]]
    marks = predictor.marks(rows, [row[splits.output_column] for row in rows], splits.root)
    sure, right = marks.probabilities[np.arange(len(marks)), marks.answers], marks.right
    surest = np.argsort(-sure, kind="stable").tolist()
    wrongs = [place for place in surest if not right[place]][:N_EACH]
    rights = [place for place in surest if right[place]][:N_EACH]
    torn = _torn(marks.probabilities)
    unsure = [place for place in surest[::-1] if torn[place] and place not in {*wrongs, *rights}][:N_EACH]
    groups = {"wrong": wrongs, "unsure": unsure, "right": rights}
    return [(name, rows[place]) for name, places in groups.items() for place in places]


def _torn(probabilities: np.ndarray) -> np.ndarray:
    """(n,) bool: where the two likeliest answers are about as likely."""
    if probabilities.shape[1] < 2:
        return np.zeros(len(probabilities), bool)
    ordered = np.sort(probabilities, axis=1)
    return ordered[:, -2] >= AS_LIKELY * ordered[:, -1]
