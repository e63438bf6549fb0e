"""`windlass init`: the guess, and why."""

import numpy as np
import pytest
from PIL import Image

from windlass.errors import DataError, SpecError
from windlass.sources.guess import guess, write_guess
from windlass.spec import load


def csv(path, header, rows):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_file_of_messages_becomes_text_in_category_out(tmp_path):
    rows = [
        f"{number},please help me with number {number},{'refund' if number % 9 else 'other'}" for number in range(90)
    ]
    found = guess(csv(tmp_path / "tickets.csv", "ticket_id,message,intent", rows), tmp_path)
    assert (found.inputs, found.output, found.goal) == ({"message": "text"}, "intent", "macro_f1")
    assert found.data == "tickets.csv"
    assert "ticket_id" in found.left_out


def test_a_chinese_file_is_guessed_like_an_english_one(tmp_path):
    rows = [f"我的第{number}个订单还没有收到货,{'物流' if number % 2 else '退款'}" for number in range(60)]
    found = guess(csv(tmp_path / "客服.csv", "内容,标签", rows), tmp_path)
    assert (found.inputs, found.output, found.goal) == ({"内容": "text"}, "标签", "accuracy")


def test_a_table_gives_each_column_its_kind(tmp_path):
    rows = [
        f"{20 + number % 50},{['red', 'blue'][number % 2]},2026-0{1 + number % 9}-11,{number * 1.5},same,"
        f"{['good', 'bad'][number % 5 == 0]}"
        for number in range(100)
    ]
    found = guess(csv(tmp_path / "a.csv", "age,colour,day,amount,constant,risk", rows), tmp_path)
    assert found.inputs == {"age": "number", "colour": "category", "day": "date", "amount": "number"}
    assert (found.output, found.goal) == ("risk", "roc_auc")
    assert found.left_out == {"constant": "always the same"}


def test_rows_sorted_by_label_do_not_hide_the_other_labels(tmp_path):
    rows = [f"a message with some words {number},{'neg' if number < 6_000 else 'pos'}" for number in range(12_000)]
    assert guess(csv(tmp_path / "a.csv", "text,label", rows), tmp_path).output == "label"


def test_a_folder_of_pictures_is_guessed(tmp_path):
    for label in ("mug", "shoe"):
        (tmp_path / "shop" / label).mkdir(parents=True)
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "shop" / label / "1.png")
    found = guess(tmp_path / "shop", tmp_path)
    assert (found.inputs, found.output, found.goal) == ({"image": "image"}, "label", "accuracy")


def test_what_is_written_is_a_spec_that_loads_and_is_not_overwritten(tmp_path):
    data = csv(tmp_path / "a.csv", "text,label", [f"some words here {number},{number % 2}" for number in range(40)])
    write_guess(data, tmp_path)
    assert load(tmp_path).inputs == {"text": "text"}
    with pytest.raises(SpecError, match="exists"):
        write_guess(data, tmp_path)


def test_no_column_that_could_be_an_answer_asks_which(tmp_path):
    data = csv(tmp_path / "a.csv", "note", [f"free words number {number}" for number in range(40)])
    with pytest.raises(DataError, match="--output"):
        guess(data, tmp_path)
    with pytest.raises(DataError, match="did you mean 'note'"):
        guess(data, tmp_path, output="notes")
