"""Rows as people have corrected them since, whether a release has learned from them or not."""

from windlass.database.backend import Database
from windlass.improving import attempts, training_feedback
from windlass.outputs.contract import Labelled
from windlass.records import Row
from windlass.sources.contract import SPLITS
from windlass.sources.prepared import read_splits
from windlass.spec import Spec
from windlass.store.store import Store


def labelled(spec: Spec, store: Store, log: Database) -> Labelled:
    """The prepared rows with their answers, and what people corrected. log: of the service.

    Raises: NotReady: `prepare` has not run. DataError: what it left, or the log, is damaged.
    """
    splits = read_splits(spec, store, with_learned=False)
    parts = {name: getattr(splits, name).to_dicts() for name in SPLITS if len(getattr(splits, name))}
    picture = next(iter(spec.inputs))
    return Labelled(parts, _corrected(spec, store, log), picture, spec.output_column, splits.root)


def _corrected(spec: Spec, store: Store, log: Database) -> list[Row]:
    """The newest word on each answer; not what was set aside, refused or taken back with its release."""
    believed = [*attempts.learned(store), *(row for rows in attempts.judging(store).values() for row in rows)]
    decided, back = attempts.decided(store), attempts.withdrawn(store)
    gone = {id for id, each in decided.items() if not each["is_accepted"]} | back
    gone |= {row["id"] for row in attempts.aside(store) if not decided.get(row["id"], {}).get("is_accepted")}
    told = training_feedback.from_log(log, spec)
    fresh = [row for row in told if not row.fate and row.answer not in gone]
    rows = {row.answer: row for row in [*sorted(believed, key=lambda row: row.at), *fresh]}
    return [{**row.values, spec.output_column: row.label} for row in rows.values() if row.values]
