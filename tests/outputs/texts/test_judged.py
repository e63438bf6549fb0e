"""What is measured of texts on validation rows."""

import polars as pl

from windlass.metrics.texts import TextMarks
from windlass.outputs.contract import Held
from windlass.outputs.texts.judged import validated
from windlass.records import Splits
from windlass.sources.prepared import CHECKS
from windlass.spec import from_values


def splits(values, kind, tmp_path, **columns):
    frame = pl.DataFrame({"text": [f"row {number}" for number in range(len(values))], "answer": values, **columns})
    return Splits({"text": "text"}, {"answer": kind}, frame, frame, frame.head(0), tmp_path)


class Knowing:
    """Gives the right answer, and tells what it was asked."""

    def __init__(self):
        self.asked = []

    def marks(self, rows, truth, root=None):
        self.asked.extend(row["text"] for row in rows)
        return TextMarks(list(truth), [[right] for right in truth])


def held(tmp_path, **values):
    spec = {"name": "x", "data": "x.csv", "inputs": {"text": "text"}, "output": {"answer": "text"}, **values}
    return Held(from_values(spec, "x"), tmp_path)


def test_texts_are_written_for_200_rows_evenly_spread(tmp_path):
    many = splits([f"answer {number}" for number in range(1_000)], "text", tmp_path)
    model = Knowing()
    found = validated(model, tmp_path, many, held(tmp_path))
    assert (len(model.asked), model.asked[1], found.value("exact_match")) == (200, "row 5", 1)
    assert found.value("pass_at_1") is None  # not measured


def test_where_tests_decide_rows_without_tests_measure_nothing(tmp_path):
    few, model = splits(["a", "b = 1", "c"], "text", tmp_path, **{CHECKS: ["", "assert b == 1", ""]}), Knowing()
    found = validated(model, tmp_path, few, held(tmp_path, checks="tests"))
    assert (found.rows.tolist(), model.asked, found.value("pass_at_1")) == ([1], ["row 1"], 1)
    none = splits(["a"], "text", tmp_path, **{CHECKS: [""]})
    assert validated(Knowing(), tmp_path, none, held(tmp_path, checks="tests")) is None
