"""What every learner of texts does at the end: write the manifest, keep golden rows, measure on validation rows."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from windlass.errors import NotReady
from windlass.kinds import table as kinds
from windlass.kinds import text
from windlass.learners.contract import Fitted, Options
from windlass.metrics.measures import LOWER
from windlass.predictors.artifact import N_GOLDEN, write_golden, write_manifest
from windlass.predictors.language.writing import Engine
from windlass.predictors.writer import Writer
from windlass.records import Column, Manifest, Row, Splits

if TYPE_CHECKING:
    import polars as pl

N_MEASURED = 200
"""Validation rows that are answered at most: writing takes its time, and `evaluate` measures again."""


def finish_text(options: Options, manifest: Mapping[str, Any], splits: Splits, engine: Engine) -> Fitted:
    """Writes manifest and golden rows beside the model files that the learner has already written.

    Args:    manifest: `predictor`, `learner` and `settings` of the manifest; `settings["writing"]` (fields of
                 `Writing`) says how it writes unless asked otherwise. `inputs`: the columns with the states that the
                 predictor needs; not given: the columns of the splits, without state.
             engine: the model in memory, as it was trained: its texts are what the served one must give.
    Returns: `validation` is the metric's own value (for `bits_per_byte` less is better), NaN where there are no
                 validation rows or the metric is not defined. `replace(fitted, curve=...)` puts a curve in.
    """
    writer = _writer(splits, engine, manifest)
    options.artifact.mkdir(parents=True, exist_ok=True)
    write_manifest(options.artifact, writer.manifest)
    asked = splits.validation.select(list(splits.inputs)).head(N_GOLDEN).unique(maintain_order=True).to_dicts()
    portable = [
        {name: kinds.get(kind).portable(row[name], splits.root) for name, kind in splits.inputs.items()}
        for row in asked
    ]
    write_golden(options.artifact, portable, [written.text for written in writer.write(portable)])
    return Fitted(options.artifact, _score(writer, splits, options.metric))


def score_engine(engine: Engine, splits: Splits, metric: str) -> float:
    """The metric on at most `N_MEASURED` validation rows, evenly spread; NaN where it is not defined."""
    return _score(_writer(splits, engine, {"predictor": "", "learner": ""}), splits, metric)


def _writer(splits: Splits, engine: Engine, manifest: Mapping[str, Any]) -> Writer:
    columns = {
        "inputs": tuple(
            kinds.with_format(Column(name, kind), splits.written.get(name)) for name, kind in splits.inputs.items()
        ),
        **manifest,
    }
    output = Column(splits.output_column, splits.output[splits.output_column])
    return Writer(Manifest(output=output, **columns), engine)


def _score(writer: Writer, splits: Splits, metric: str) -> float:
    n_rows = len(splits.validation)
    rows = splits.validation[:: max(1, math.ceil(n_rows / N_MEASURED))].to_dicts()
    if not rows:
        return float("nan")
    marks = writer.marks(rows, [row[splits.output_column] for row in rows], splits.root)
    return marks.value(metric) if metric in marks.metrics else float("nan")


def inputs_read(splits: Splits, rows: "pl.DataFrame") -> list[Row]:
    """The inputs of these rows as an engine is given them: read by their kinds, a missing text empty."""
    read = {name: kinds.get(kind).read for name, kind in splits.inputs.items()}
    asked = rows.select(list(splits.inputs)).to_dicts()
    return [{name: reader(row[name], splits.root) for name, reader in read.items()} for row in asked]


def answers_read(splits: Splits, rows: "pl.DataFrame") -> list[str]:
    """The right answer of each row, the first where there are several."""
    return [rights[0] for rights in rights_read(splits, rows)]


def rights_read(splits: Splits, rows: "pl.DataFrame") -> list[list[str]]:
    """All the right answers of each row, at least one."""
    values = rows[splits.output_column].to_list()
    return [[text.read(right, None) for right in text.several(str(value or ""))] for value in values]


def text_inputs(splits: Splits) -> list[str]:
    """The text columns that are asked with, the longest on average first."""
    names = kinds.prose(splits.inputs)
    return sorted(names, key=lambda name: -(splits.train[name].str.len_chars().sum() or 0))


def asks(splits: Splits) -> bool:
    """False where every input of the training rows is empty: then texts are written, and no questions answered."""
    return any((splits.train[name].cast(str).fill_null("") != "").any() for name in splits.inputs)


def check_asks(splits: Splits, options: Options, what: str) -> None:
    """Raises: NotReady: there is nothing to answer, or what is measured is a likelihood, which `what` does not have."""
    if not asks(splits):
        raise NotReady("rows ask nothing: every input is empty")
    if options.metric in LOWER:
        raise NotReady(f"the goal is '{options.metric}', and {what} has no likelihood")


def asks_nothing(splits: Splits, variant: str) -> str:
    """Why a learner that answers cannot learn from these rows."""
    return "" if asks(splits) else "rows ask nothing: every input is empty"


def only_asks(splits: Splits, variant: str) -> str:
    """Why a learner that continues does not try these rows, unless it is named with a preset."""
    if variant or kinds.has_turns(splits.inputs) or not asks(splits):
        return ""
    return "rows ask something, which `seq2seq` reads; `learners: [{gpt: default}]` tries it all the same"


def no_text_beside(splits: Splits, variant: str) -> str:
    """Why a learner that looks for the answer in a text cannot."""
    n_columns = len(text_inputs(splits))
    return "" if n_columns > 1 else f"rows have {n_columns} text column, expected a text and a question"
