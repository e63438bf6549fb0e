"""What the results of stages follow from: a walk asks it of each stage, so it imports no more than that.

The keys of `collect` and `train` stand in their stages: they hang on files and on the table of learners.
"""

from collections.abc import Sequence

from windlass.brand import load_rules
from windlass.records import Run, Trained
from windlass.spec import Spec
from windlass.store.json_files import fingerprint
from windlass.store.store import Store


def prepare_key(spec: Spec, store: Store, learned: Sequence[tuple[str, str]] = ()) -> str:
    """learned: of the rows that feedback taught, the answer's id and what is right."""
    rows = [list(each) for each in learned]
    return fingerprint([store.key("collect"), spec.seed, spec.columns, *([rows] if rows else [])])


def compress_key(spec: Spec, store: Store) -> str:
    """Changes when a run does, or what is asked of copies."""
    limits = spec.limits
    return fingerprint([store.key("train"), spec.compress, limits.size_mb, limits.latency_p95_ms, limits.loss])


def compressed(store: Store) -> list[Run]:
    """The copies that `compress` made of the runs; none where it has not been asked."""
    return store.read("compress", Trained).runs if store.record("compress").is_file() else []


def evaluate_key(spec: Spec, store: Store) -> str:
    """Changes when a run does, or what it is held to."""
    runs = [*store.read("train", Trained).runs, *compressed(store)]
    rules = load_rules(store.project / spec.brand).model_dump() if (store.project / spec.brand).is_file() else ""
    held_to = [spec.goal, spec.limits.model_dump(), spec.checks, rules, *([spec.threshold] if spec.threshold else []),
               *([spec.costs] if spec.costs else []), *([spec.unit] if spec.unit else [])]  # fmt: skip
    return fingerprint([[run.key, run.status] for run in runs] + held_to)


def explain_key(spec: Spec, store: Store) -> str:
    """Changes when the leaderboard does."""
    return fingerprint([store.key("evaluate"), "explain"])


def release_key(spec: Spec, store: Store) -> str:
    """Changes when the leaderboard does, or the product's name."""
    return fingerprint([store.key("evaluate"), spec.name])
