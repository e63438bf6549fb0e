"""Rows in = accepted + rejected, each reject with its reason."""

import json
import re
import time

import numpy as np
import pytest
from PIL import Image

from windlass.errors import DataError
from windlass.sources.prepared import read_collected
from windlass.stages.collect import collect
from windlass.stages.collect import key_of as collect_key


def rejects(product):
    path = product.store.folder / "collect" / "rejects.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_row_is_accepted_or_rejected_with_its_line_and_reason(product):
    product.csv([("good words", "a"), ("no label", ""), ("", "b"), ("too", "many", "fields"), ("more words", "b")])
    record = collect(product.spec(), product.store)
    assert (record.rows_in, record.accepted, record.rejected) == (5, 2, 3)
    assert [(reject["row"], reject["reason"]) for reject in rejects(product)] == [
        (3, "column 'intent' is missing, expected an answer to learn from"),
        (4, "every input is missing"),
        (5, "has 3 fields, expected 2"),
    ]


def test_numbers_that_are_not_finite_are_rejected_and_missing_ones_kept(product):
    product.csv([("1", "a"), ("inf", "a"), ("", "b"), ("?", "b"), ("abc", "b"), ("1e999", "a")], header="x,intent")
    spec = product.spec(inputs={"x": "number"})
    with pytest.raises(DataError, match=r"expected|missing"):
        collect(product.spec(inputs={"y": "number"}), product.store)
    record = collect(spec, product.store)
    assert record.rows_in == record.accepted + record.rejected == 6
    assert [reject["row"] for reject in rejects(product)] == [3, 4, 5, 6, 7]


def test_one_missing_input_beside_another_is_kept(product):
    product.csv([("1", "", "a"), ("", "2", "b")], header="x,y,intent")
    record = collect(product.spec(inputs={"x": "number", "y": "number"}), product.store)
    assert record.accepted == 2
    assert read_collected(product.store)["x"].is_nan().to_list() == [False, True]


def test_a_missing_column_names_the_nearest_one(product):
    product.csv([("words", "a")])
    with pytest.raises(DataError, match=r"no column 'messgae'.*\n.*did you mean 'message'"):
        collect(product.spec(inputs={"messgae": "text"}), product.store)


def test_a_broken_and_an_enormous_picture_are_rejected_by_name(product):
    folder = product.folder / "pictures" / "mug"
    folder.mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / "good.png")
    (folder / "broken.png").write_bytes((folder / "good.png").read_bytes()[:40])
    Image.new("1", (30_000, 30_000)).save(folder / "enormous.png")
    spec = product.spec(data="pictures", inputs={"image": "image"}, max_rejected=1.0)
    record = collect(spec, product.store)
    assert (record.rows_in, record.accepted, record.rejected) == (3, 1, 2)
    reasons = " ".join(reject["reason"] for reject in rejects(product))
    assert "broken.png' is not a picture that can be read" in reasons
    assert "30000 x 30000 pixels, expected at most 64 megapixels" in reasons


@pytest.mark.parametrize("content", ["", "message,intent\n", "message,intent\n,\n,\n"])
def test_a_file_without_a_usable_row_is_refused_at_once(product, content):
    (product.folder / "data.csv").write_text(content)
    started = time.process_time()
    with pytest.raises(DataError):
        collect(product.spec(), product.store)
    assert time.process_time() - started < 20


def test_right_to_left_emoji_and_very_long_texts_survive_or_are_rejected_with_their_length(product):
    product.csv([("مرحبا كيف حالك", "a"), ("🙂👍🏽 ok", "b"), ("x" * 1_000_000, "a"), ("y" * 99_000, "b")])
    record = collect(product.spec(), product.store)
    assert record.accepted == 3
    assert "1,000,000 characters, expected at most 100,000" in rejects(product)[0]["reason"]
    assert read_collected(product.store)["message"][0] == "مرحبا كيف حالك"


def test_the_key_changes_with_the_file_and_with_the_columns(product):
    product.csv([("a b", "x"), ("c d", "y")])
    spec = product.spec()
    before = collect_key(spec, product.store)
    assert collect_key(product.spec(minutes=5.0), product.store) == before
    product.csv([("a b", "x"), ("c d", "y"), ("e f", "y")])
    assert collect_key(spec, product.store) != before


def test_whole_numbers_that_a_number_cannot_tell_apart_are_said(product):
    product.csv([(str(2**53 + number % 2), "ab"[number % 2]) for number in range(10)], header="x,intent")
    record = collect(product.spec(inputs={"x": "number"}), product.store)
    assert record.warnings == [
        "column 'x' holds in 5 rows a whole number beyond 2^53, which a number no longer tells from its neighbours"
    ]
    collect(product.spec(inputs={"x": "category"}), product.store)
    assert read_collected(product.store)["x"].n_unique() == 2


@pytest.mark.parametrize(
    ("kind", "value", "hint"),
    [
        ("number", '"3959,01"', "are its numbers written so? `formats:` in windlass.yaml says it: '1234,56'"),
        ("date", "24.03.2021", "`formats:` in windlass.yaml says how days are written: '31.12.2026'"),
    ],
)
def test_values_that_a_form_would_read_are_refused_with_that_form(product, kind, value, hint):
    product.csv([(value, "a")] * 5, header="x,intent")
    with pytest.raises(DataError) as caught:
        collect(product.spec(inputs={"x": kind}), product.store)
    assert caught.value.hint == hint
    example = hint.rsplit("'", 2)[1]
    assert collect(product.spec(inputs={"x": kind}, formats={"x": example}), product.store).accepted == 5


def mostly(product, n_plain, n_other, other='"1.234,5"'):
    """A table of which the last column is the answer, some of its numbers written otherwise."""
    rows = [("1234.5", "ab"[number % 2]) for number in range(n_plain)]
    return product.csv([*rows, *((other, "ab"[number % 2]) for number in range(n_other))], header="x,intent")


def test_values_of_several_forms_are_read_alike_or_rejected_by_name_and_never_otherwise(product):
    good = [('"€1,589"', "a"), ("1 253", "b"), ("738", "a")]
    product.csv([*good * 40, ('"12,5"', "b")], header="x,intent")
    record = collect(product.spec(inputs={"x": "number"}, formats={"x": "€1,234.56"}), product.store)
    assert (record.accepted, record.rejected) == (120, 1)
    assert set(read_collected(product.store)["x"]) == {1589, 1253, 738}
    assert record.reasons == {"column 'x' is not number": 1}
    assert "'12,5', expected one that is written like '€1,234.56'" in (
        product.store.folder / "collect" / "rejects.jsonl"
    ).read_text(encoding="utf-8")
    assert any("most of them like '€1,234.56'" in each for each in record.warnings)


@pytest.mark.parametrize(
    ("kind", "formats", "value", "said", "hint"),
    [
        ("number", {"x": "1.234,56"}, "1234.5", "number is '1234.5'.*`formats:` says '1.234,56'", "needs no line"),
        ("number", {"x": "1234.56 €"}, '"1.234,5"', r"is '1\.234,5'.*like '1234.56 €'", "says it: '1.234,56'"),
        ("number", {}, '"1.234,5"', r"number is '1\.234,5'", "says it: '1.234,56'"),
        ("number", {}, "red", "number is 'red'", "is 'x' another kind than number"),
        ("date", {"x": "31.12.2026"}, "12/24/2025", "date is '12/24/2025'", "'12/31/2026'"),
        ("date", {}, "soon", "date is 'soon'", "is 'x' another kind than date"),
    ],
)
def test_a_line_of_the_spec_that_rejects_most_rows_stops_with_an_example_and_what_to_change(
    product, kind, formats, value, said, hint
):
    good = {"number": '"7"', "date": "2026-01-02"}[kind]
    rows = [(good, "a"), (good, "b")] + [(value, "ab"[number % 2]) for number in range(38)]
    product.csv(rows, header="x,intent")
    with pytest.raises(DataError, match=r"data\.csv has 38 of 40 rows \(95\.0%\) rejected") as caught:
        collect(product.spec(inputs={"x": kind}, formats=formats), product.store)
    assert "expected at most 50%: row 4: column 'x'" in caught.value.message
    assert re.search(said, caught.value.message)
    assert hint in caught.value.hint
    assert not product.store.record("collect").exists()
    insisted = product.spec(inputs={"x": kind}, formats=formats, max_rejected=1.0)
    assert collect(insisted, product.store).accepted == 2


@pytest.mark.parametrize(("n_plain", "n_other", "is_loud"), [(20, 20, True), (94, 6, True), (95, 5, False)])
def test_up_to_half_of_the_rows_may_be_rejected_and_from_a_twentieth_on_it_is_said_first(
    product, n_plain, n_other, is_loud
):
    mostly(product, n_plain, n_other)
    record = collect(product.spec(inputs={"x": "number"}), product.store)
    assert record.rejected == n_other
    assert (f"data.csv has {n_other} of {n_plain + n_other} rows" in record.warnings[0]) == is_loud
    if n_plain == 20:
        mostly(product, 20, 21)
        with pytest.raises(DataError, match="21 of 41 rows"):
            collect(product.spec(inputs={"x": "number"}), product.store)


def test_each_given_file_is_judged_by_itself(product):
    mostly(product, 100, 0).rename(product.folder / "train.csv")
    mostly(product, 0, 20).rename(product.folder / "test.csv")
    spec = product.spec(inputs={"x": "number"}, data={"train": "train.csv", "test": "test.csv"})
    with pytest.raises(DataError, match=r"test\.csv has 20 of 20 rows"):
        collect(spec, product.store)


def test_lines_of_other_widths_are_one_reason(product):
    ragged = [("a", "b", *"xyz"[: 1 + number % 3]) for number in range(30)]
    product.csv([("good words", "a"), ("more words", "b"), *ragged])
    with pytest.raises(DataError, match=r"30 of 32 rows.*has 3 fields, expected 2"):
        collect(product.spec(), product.store)


def test_a_pool_that_is_labelled_bit_by_bit_is_taken_and_its_share_said(product):
    product.csv([("some words", "a"), ("more words", "b"), *((f"words {number}", "") for number in range(38))])
    record = collect(product.spec(), product.store)
    assert record.accepted == 2
    assert "38 of 40 rows (95.0%)" in record.warnings[0]
