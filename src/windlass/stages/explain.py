"""Run + rows -> why: test rows that the chosen candidate answered right, wrong and without being sure, explained."""

from time import monotonic

from windlass.errors import WindlassError
from windlass.explain.occlusion import Effort
from windlass.kinds import table as kinds
from windlass.outputs import table as outputs
from windlass.outputs.contract import Why
from windlass.pages.html.explanations import Explained, explanations
from windlass.pages.text.doubling import in_both
from windlass.predictors import table as predictors
from windlass.records import Board, Json, Progress, Splits, silent
from windlass.spec import Spec
from windlass.store.files import write_text
from windlass.store.json_files import write_json
from windlass.store.stage_keys import explain_key
from windlass.store.store import Store

REPORT = "report.html"
N_LOOKED_AT = 500
SECONDS = 20.0


def explain(
    spec: Spec, store: Store, splits: Splits, board: Board, progress: Progress = silent, seconds: float = SECONDS
) -> Json:
    """Explains a few test rows through the artifact that would be served; writes `explain/report.html`.

    seconds: for all rows together: an explanation that does not fit is left out.
    """
    predictor = predictors.load(store.run_folder(board.chosen) / "artifact")
    looked_at = splits.test.head(N_LOOKED_AT).to_dicts()
    output = outputs.of(spec)
    picked = output.picked(predictor, looked_at, splits)
    found: list[Explained] = []
    refusal, until = "", monotonic() + seconds
    for number, (group, row) in enumerate(picked):
        progress("explain", number, len(picked), "")
        try:
            why = output.explain(predictor, row, 0, Why(splits.root, effort=lambda: Effort(until=until)))
        except WindlassError as error:
            refusal = error.message
            break
        truth = kinds.get(output.kind).brief(row[splits.output_column])
        found.append(Explained(group, truth, why))
    progress("explain", len(picked), len(picked), "")
    where = store.stage("explain") / REPORT
    write_text(where, in_both(explanations(spec.shown_name, board.chosen, found, refusal)))
    record: Json = {
        "key": explain_key(spec, store),
        "candidate": board.chosen,
        "rows": [{"group": each.group, "truth": each.truth, **each.explanation.as_json()} for each in found],
        "refusal": refusal,
        "report": str(where.relative_to(store.project)),
    }
    write_json(store.record("explain"), record)
    return record
