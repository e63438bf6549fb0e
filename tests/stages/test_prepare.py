"""No row of test in train; what is taken out is counted; labels keep their shares."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from windlass.errors import DataError
from windlass.outputs.splitting import Cleaning
from windlass.sources.prepared import GROUP, read_collected, read_splits
from windlass.stages.collect import collect
from windlass.stages.prepare import prepare, split_rows

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


def test_rows_of_a_group_stay_in_one_split_and_row_by_row_they_would_not(product):
    rows = [(f"finding {number}", "ill" if number % 3 else "well", f"patient {number // 6}") for number in range(600)]
    product.csv(rows, header="message,intent,patient")
    patient = {message: who for message, _, who in rows}

    def shared(splits):
        known, asked = ({patient[each] for each in part["message"]} for part in (splits.train, splits.test))
        return known & asked

    record, splits = prepared(product, group="patient")
    assert not shared(splits)
    assert sum(record.rows.values()) == 600
    assert record.groups == {"train": 64, "validation": 16, "test": 20}
    assert "patient" not in splits.train.columns
    assert len(shared(prepared(product)[1])) > 50  # the control: split by rows, most test patients stand in train


def test_groups_of_many_sizes_give_about_the_rows_and_the_labels_that_were_wanted(product):
    rows = [
        (f"finding {shop} {number}", "rare" if (shop + number) % 8 == 0 else "common", f"shop {shop}")
        for shop in range(80)
        for number in range(1 + shop % 17)
    ]
    product.csv(rows, header="message,intent,shop")
    record, splits = prepared(product, group="shop")
    assert abs(len(splits.test) / len(rows) - 0.2) < 0.02
    for part in (splits.train, splits.test):
        assert abs(Counter(part["intent"].to_list())["rare"] / len(part) - 1 / 8) < 0.04
    assert sum(record.groups.values()) == 80


def test_train_rows_of_a_group_that_a_given_test_holds_are_taken_out(product):
    rows = [(f"finding {number}", "ab"[number % 2], f"patient {number // 10}") for number in range(100)]
    product.csv(rows, "data/train.csv", "message,intent,patient")
    product.csv([("another finding", "a", "patient 3")], "data/test.csv", "message,intent,patient")
    record, splits = prepared(product, data="data", group="patient")
    assert record.removed == {"train row of the group of a test row": 10}
    assert len(splits.test) == 1


def test_a_row_without_a_group_stands_for_itself_and_is_warned_of(product):
    rows = [(f"finding {number}", "ab"[number % 2], "" if number < 30 else f"p{number // 5}") for number in range(100)]
    product.csv(rows, header="message,intent,patient")
    record, _ = prepared(product, group="patient")
    assert record.warnings == ["column 'patient' is missing in 30 rows: each is a group of its own"]
    assert sum(record.groups.values()) == 30 + 14


def test_a_single_group_cannot_be_split_and_the_message_says_so(product):
    product.csv([(*row, "one") for row in messages(60)], header="message,intent,patient")
    with pytest.raises(DataError, match="data has 1 groups in 60 rows"):
        prepared(product, group="patient")


def test_a_group_that_is_no_column_is_named_with_the_nearest(product):
    product.csv([(*row, "one") for row in messages(60)], header="message,intent,patient")
    with pytest.raises(DataError, match="no column 'pateint'") as caught:
        prepared(product, group="pateint")
    assert "did you mean 'patient'?" in caught.value.hint


def talks(product, n_talks: int) -> None:
    """Conversations of four answers, each naming the number of its conversation."""
    with (product.folder / "talks.jsonl").open("w", encoding="utf-8") as file:
        for talk in range(n_talks):
            said = [
                {"role": role, "content": f"{word} {turn} of talk {talk}"}
                for turn in range(4)
                for role, word in (("user", "question"), ("assistant", "answer"))
            ]
            file.write(json.dumps({"messages": said}) + "\n")


def heard(splits) -> tuple[set[str], set[str]]:
    """All that train rows say, histories with answers; and the answers that test rows ask for."""
    known = {each["content"] for row in splits.train["messages"].to_list() for each in json.loads(row)}
    return known | set(splits.train["reply"].to_list()), set(splits.test["reply"].to_list())


def test_no_answer_of_a_test_conversation_stands_in_what_train_rows_have_said_before(product):
    talks(product, 60)
    chat = {"data": "talks.jsonl", "inputs": {"messages": "chat"}, "output": {"reply": "text"}, "learners": None}
    record, splits = prepared(product, **chat)
    known, asked = heard(splits)
    assert not known & asked
    assert record.groups == {"train": 46, "validation": 2, "test": 12}
    assert sum(record.rows.values()) == 240

    rows = read_collected(product.store).drop(GROUP)  # the control: the same rows, split one by one
    by_rows = split_rows(rows, product.spec(**chat), Cleaning())
    leaked = heard(replace(splits, train=by_rows["train"], test=by_rows["test"]))
    assert len(leaked[0] & leaked[1]) > 20


def test_labels_that_are_probably_one_are_named(product):
    rows = [(f"words {number}", "refund" if number % 2 else "delivery") for number in range(200)]
    product.csv([*rows, ("a b", "Refund"), ("c d", "refnud"), ("e f", "refnud")])
    record, _ = prepared(product)
    said = " ".join(record.warnings)
    assert "label 'refund' is also written 'Refund': `labels: {merge: {'Refund': 'refund'}}`" in said
    assert "label 'refnud' (2 rows) is nearly 'refund' (100 rows), a slip of the pen?" in said


def test_merged_labels_are_one_from_collect_on(product):
    rows = [(f"words {number}", ["refund", "Refund ", "other"][number % 3]) for number in range(90)]
    product.csv(rows)
    record, _ = prepared(product, labels={"merge": {"Refund": "refund"}})
    assert set(record.labels["train"]) == {"refund", "other"}
    assert not any("Refund" in warning for warning in record.warnings)
    assert set(prepared(product)[0].labels["train"]) == {"refund", "Refund", "other"}  # the control


def test_labels_of_test_that_train_does_not_have_are_shown_beside_its_own(product):
    product.csv([(f"words {number}", ["yes", "no"][number % 2]) for number in range(90)], "data/train.csv")
    product.csv([(f"others {number}", ["YES", "NO"][number % 2]) for number in range(30)], "data/test.csv")
    with pytest.raises(DataError) as caught:
        prepared(product, data="data")
    assert caught.value.message == (
        "no label of the test rows ('NO', 'YES') occurs in the train rows ('no', 'yes'), expected the same names"
    )
    assert "{merge: {'YES': 'yes'}}" in caught.value.hint
    _, splits = prepared(product, data="data", labels={"merge": {"YES": "yes", "NO": "no"}})
    assert len(splits.test) == 30


@pytest.mark.parametrize("name", ["value", "len", "n", "count"])
def test_a_column_may_be_called_what_counts_are_called(product, name):
    product.csv([(f"{number % 9}", "ab"[number % 2]) for number in range(90)], header=f"x,{name}")
    assert prepared(product, inputs={"x": "number"}, output={name: "category"})[0].rows["train"] > 0


def test_a_test_that_can_measure_nothing_is_refused_with_how_many_rows_do(product):
    """A fifth of 5 rows is one; the control has a fifth of 30."""
    product.csv(messages(5))
    with pytest.raises(DataError) as caught:
        prepared(product)
    assert caught.value.message.startswith("data has 5 rows, too few for a test split: ")
    assert caught.value.message.endswith("expected at least 2")
    assert "5 test rows, a fifth of about 25 different ones" in caught.value.hint
    product.csv(messages(30))
    assert prepared(product)[0].rows["test"] >= 5
