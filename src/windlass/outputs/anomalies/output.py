"""Anomalies: an answer says whether something is wrong, with a calibrated probability; learned from good examples."""

from dataclasses import replace

from windlass.metrics.alarms import ALARM_METRICS, FOUND
from windlass.outputs.anomalies import measures
from windlass.outputs.contract import Scored, Unsupported, later
from windlass.outputs.labels import output as labels

OUTPUT = replace(
    labels.OUTPUT,
    kind="anomaly",
    metrics=ALARM_METRICS,
    headline=lambda spec: FOUND,
    check=measures.check,
    split=later("windlass.outputs.anomalies.split", "split"),
    warn=later("windlass.outputs.anomalies.split", "warn"),
    check_rows=measures.check_rows,
    tune_decision=measures.tune_decision,
    marks=measures.marks,
    validated=measures.validated,
    baseline=measures.baseline,
    compare=later("windlass.outputs.anomalies.comparison", "compare"),
    scored=lambda marks, metric, splits: Scored(metric, marks),
    proposals=Unsupported("alarms are judged by faults, of which there are few: `plan` has no curve of them"),
    compares=Unsupported("alarms are compared by `evaluate`"),
)
