"""The reference of a release: of rows that were not trained on, data alone, read strictly, absent in old ones."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from windlass.errors import DataError
from windlass.outputs import reference_profile
from windlass.outputs import table as outputs
from windlass.predictors.contract import Predictor
from windlass.records import Recent, Splits
from windlass.registry import reference

TEXTS = ("my card is lost", "refund the money please", "my address is new", "卡丢了怎么办")


def _frame(start: int, rows: int) -> pl.DataFrame:
    numbers = range(start, start + rows)
    return pl.DataFrame(
        {
            "message": [f"{TEXTS[number % 4]} {number}" for number in numbers],
            "amount": [float(number % 50) for number in numbers],
            "shop": [("web", "street", "phone")[number % 3] for number in numbers],
            "intent": ["card" if number % 4 in (0, 3) else "other" for number in numbers],
        }
    )


INPUTS = {"message": "text", "amount": "number", "shop": "category"}
SPLITS = Splits(INPUTS, {"intent": "category"}, _frame(0, 400), _frame(400, 50), _frame(450, 120), Path("."))


def _made(folder: Path, recent: Recent | None = None) -> reference.Reference:
    class Silent(Predictor):
        """Writes nothing: a product whose answers have no mix."""

        def __init__(self) -> None: ...
        def answer(self, rows, root=None):
            return []

        def marks(self, rows, truth, root=None):
            raise NotImplementedError

        def difference(self, rows, wanted):
            return 0.0

        def gap(self, answer, wanted):
            return 0.0

    reference.write(folder, reference_profile.make(outputs.get("text"), SPLITS, Silent(), recent))
    found = reference.read(folder)
    assert found is not None
    return found


def test_it_holds_profiles_of_rows_that_were_not_trained_on(tmp_path):
    found = _made(tmp_path)
    assert [column.name for column in found.columns] == list(INPUTS)
    assert found.n_rows == 170 == len(found.profiles[2])


def test_a_product_that_writes_is_compared_with_what_came_in_use_as_well(tmp_path):
    """All 30 of those rows, and all 170 others: these are fewer than 200."""
    rows = _frame(600, 30).to_dicts()
    assert _made(tmp_path, Recent(rows[:20], rows[20:], [])).n_rows == 200


def test_no_text_of_a_row_is_in_it(tmp_path):
    """Names of a category are: the model itself holds them. Control: the same search finds those."""
    _made(tmp_path)
    content = (tmp_path / reference.FILE).read_text()
    assert not [word for word in ("card", "lost", "refund", "address", "卡丢") if word in content.replace('"card"', "")]
    assert "street" in content


def test_a_row_has_the_profile_that_its_reference_has(tmp_path):
    found = _made(tmp_path)
    row = SPLITS.test.to_dicts()[0]
    profile = json.loads(found.profile({name: row[name] for name in INPUTS}))
    assert [list(table[0]) for table in found.profiles] == profile


def test_a_value_that_cannot_be_read_has_no_profile(tmp_path):
    found = _made(tmp_path)
    assert json.loads(found.profile({"message": "hello", "amount": "many", "shop": "web"}))[1] is None


def test_a_release_of_before_has_none(tmp_path):
    assert reference.read(tmp_path) is None


DAMAGE = {
    "no columns": lambda values: values.pop("columns"),
    "another format": lambda values: values.update(format=2),
    "short profiles": lambda values: values["columns"][0].update(profiles=[[1, 2]] * 170),
    "words for numbers": lambda values: values["columns"][1].update(profiles=[["x"]] * 170),
    "an unknown kind": lambda values: values["columns"][1].update(kind="smell"),
    "no state": lambda values: values["columns"][2].update(state={}),
    "fewer rows in one": lambda values: values["columns"][1].update(profiles=[[3]]),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_reference_is_refused(tmp_path, damage):
    _made(tmp_path)
    values = json.loads((tmp_path / reference.FILE).read_text())
    damage(values)
    (tmp_path / reference.FILE).write_text(json.dumps(values))
    with pytest.raises((DataError,), match="damaged"):
        reference.read(tmp_path)
    said: list[str] = []
    assert reference.opened(tmp_path, said.append) is None
    assert said


def test_profiles_of_one_row_and_of_many_are_the_same(tmp_path):
    found = _made(tmp_path)
    rows = [{name: row[name] for name in INPUTS} for row in SPLITS.test.to_dicts()]
    again = np.array([json.loads(found.profile(row))[0] for row in rows])
    assert (again == found.profiles[0][: len(rows)]).all()
