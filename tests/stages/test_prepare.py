"""No row of test in train; what is taken out is counted; labels keep their shares."""

from collections import Counter

import pytest

from windlass.errors import DataError
from windlass.sources.prepared import read_splits
from windlass.stages.collect import collect
from windlass.stages.prepare import prepare

from .conftest import messages


def prepared(product, **changes):
    spec = product.spec(**changes)
    collect(spec, product.store)
    return prepare(spec, product.store), read_splits(spec, product.store)


def test_splits_share_no_inputs_and_lose_no_row(product):
    product.csv(messages(300))
    record, splits = prepared(product)
    parts = [set(part["message"].to_list()) for part in (splits.train, splits.validation, splits.test)]
    assert not parts[0] & parts[1]
    assert not (parts[0] | parts[1]) & parts[2]
    assert sum(record.rows.values()) == 300
    assert record.rows["test"] == 60


def test_every_label_keeps_its_share_in_every_split(product):
    rows = [(f"words {number}", "rare" if number % 10 == 0 else "common") for number in range(400)]
    product.csv(rows)
    _, splits = prepared(product)
    for part in (splits.train, splits.validation, splits.test):
        counts = Counter(part["intent"].to_list())
        assert 0.07 < counts["rare"] / len(part) < 0.13


def test_duplicates_are_taken_out_once_and_counted(product):
    rows = messages(100)
    product.csv(rows + rows[:7])
    record, _ = prepared(product)
    assert record.removed == {"exact duplicate": 7}
    assert sum(record.rows.values()) == 100


def test_the_same_question_with_two_labels_stays_in_one_split_and_is_warned_of(product):
    rows = [(f"question {number // 2}", "ab"[number % 2]) for number in range(200)]
    product.csv(rows)
    record, splits = prepared(product)
    assert not set(splits.train["message"]) & set(splits.test["message"])
    assert "different labels" in record.warnings[0]


def test_train_rows_that_stand_in_a_given_test_are_taken_out(product):
    rows = messages(120)
    product.csv(rows, "data/train.csv")
    product.csv([*rows[:10], ("quite another question", "refund")], "data/test.csv")
    record, splits = prepared(product, data="data")
    assert record.removed == {"train row with the inputs of a test row": 10}
    assert len(splits.test) == 11


def test_labels_that_only_test_has_are_left_out_visibly(product):
    product.csv(messages(90), "data/train.csv")
    product.csv([("new thing", "unheard"), ("refund please now", "refund")], "data/test.csv")
    record, splits = prepared(product, data="data")
    assert record.removed["test row whose label is not in train"] == 1
    assert "unheard" in record.warnings[0]
    assert len(splits.test) == 1


def test_the_same_seed_gives_the_same_fingerprint_and_another_seed_another(product):
    product.csv(messages(90))
    first = prepared(product)[0].fingerprint
    assert prepared(product)[0].fingerprint == first
    assert prepared(product, seed=14)[0].fingerprint != first


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(f"words {number}", "only") for number in range(50)], "the one label 'only'"),
        ([(f"words {number}", f"label {number}") for number in range(50)], "one row each"),
        ([(f"words {number}", f"label {number // 2}") for number in range(20_000)], "10,000 labels"),
    ],
)
def test_labels_that_cannot_be_learnt_are_refused(product, rows, words):
    product.csv(rows)
    with pytest.raises(DataError, match=words):
        prepared(product)


def test_labels_on_one_row_are_kept_in_train_with_a_warning(product):
    product.csv([*messages(60), ("a lone question", "lonely")])
    record, splits = prepared(product)
    assert "lonely" in splits.train["intent"].to_list()
    assert "lonely" in record.warnings[0]


def test_constant_and_empty_columns_are_warned_of(product):
    rows = [(f"{number}", "same", "", "ab"[number % 2]) for number in range(60)]
    product.csv(rows, header="x,constant,empty,intent")
    record, _ = prepared(product, inputs={"x": "number", "constant": "category", "empty": "number"})
    assert any("'constant' is constant" in warning for warning in record.warnings)
    assert any("'empty' is missing in every train row" in warning for warning in record.warnings)


def test_a_column_that_gives_the_answer_away_is_warned_of_and_an_honest_one_is_not(product):
    rows = [(f"{number * 37 % 211}", f"{number % 3 * 10}", "abc"[number % 3]) for number in range(210)]
    product.csv(rows, header="honest,leak,intent")
    record, _ = prepared(product, inputs={"honest": "number", "leak": "number"})
    assert [warning for warning in record.warnings if "alone tells" in warning] == [
        "column 'leak' alone tells 'intent' nearly always: is it known when the question is asked, or only afterwards?"
    ]
