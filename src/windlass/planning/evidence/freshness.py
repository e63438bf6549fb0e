"""What older events lose: a model without the last ones before the test, beside one with them, on the test rows."""

import tempfile
from dataclasses import replace
from pathlib import Path

from windlass.durations import DAY_S
from windlass.kinds import table as kinds
from windlass.learners import table as learners
from windlass.learners.contract import Budget, Options
from windlass.metrics.measures import paired_difference
from windlass.outputs import table as outputs
from windlass.outputs.contract import Held
from windlass.planning.evidence.probing import ONE_FIT_S, Probe
from windlass.predictors.table import load
from windlass.records import Json, Splits, silent

UNTIL = "until"
"""Where the settings of a model that learned a log keep the time of its latest event."""
LEAST_DAYS = 0.5


def tried(probe: Probe) -> Json:
    """gain: of the fresher model, paired by user; days: how much older the other one is. {} where rows are no log.

    Raises: as `probing.fitted`.
    """
    splits = probe.splits
    if not any(kinds.get(kind).has_events for kind in splits.inputs.values()):
        return {}
    rows, output = splits.test.to_dicts(), outputs.get(splits.output[splits.output_column])
    found = []
    for each in (splits, replace(splits, validation=splits.validation.head(0))):
        with tempfile.TemporaryDirectory(prefix="windlass-plan-") as place:
            made = _fitted(probe, each, Path(place))
            model = load(made)
            found.append((output.marks(model, rows, Held(probe.spec, splits.root)), model.manifest.settings.get(UNTIL)))
    (fresh, late), (stale, early) = found
    days = (late - early) / DAY_S if late is not None and early is not None else 0.0
    if days < LEAST_DAYS:
        return {}
    metric = output.scored(fresh, probe.metric, splits).metric
    return {"gain": vars(paired_difference(metric, fresh, stale, probe.seed)), "days": days}


def _fitted(probe: Probe, splits: Splits, place: Path) -> Path:
    options = Options(place, probe.metric, probe.seed)
    return learners.get(probe.learner).fit(splits, options, Budget(ONE_FIT_S), silent).artifact
