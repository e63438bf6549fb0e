"""Rows whose texts are lists of parts, as files for OpenAI's and Hugging Face's trainers have them."""

import json

import polars as pl
import pytest

from windlass.errors import DataError
from windlass.kinds import chat, text
from windlass.sources.guess import guess
from windlass.spec import parse
from windlass.stages.collect import collect
from windlass.store.store import Store


def parts(*texts):
    return [{"type": "text", "text": each} for each in texts]


def collected(folder, spec, rows):
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    store = Store(folder)
    found = collect(parse(f"name: bot\ndata: rows.jsonl\n{spec}"), store)
    kept = pl.concat([pl.read_parquet(path) for path in sorted(store.stage("collect").glob("*.parquet"))])
    return found, kept


def test_prompts_and_completions_in_parts_are_read(tmp_path):
    rows = [{"prompt": parts(f"Translate {n}", "please"), "completion": parts(f"Done {n}")} for n in range(20)]
    found, kept = collected(tmp_path, "inputs: {prompt: text}\noutput: {completion: text}\n", rows)
    assert (found.accepted, found.rejected) == (20, 0)
    assert kept["prompt"][0] == "Translate 0\nplease"
    assert kept["completion"][0] == "Done 0"


def test_messages_in_parts_are_read(tmp_path):
    rows = [
        {"messages": [{"role": "user", "content": parts("hi", str(n))}, {"role": "assistant", "content": parts("ho")}]}
        for n in range(20)
    ]
    found, kept = collected(tmp_path, "inputs: {messages: chat}\noutput: {reply: text}\n", rows)
    assert (found.accepted, found.rejected) == (20, 0)
    assert json.loads(kept["messages"][0]) == [{"role": "user", "content": "hi\n0"}]
    assert kept["reply"][0] == "ho"


def test_parts_that_are_no_text_are_no_text():
    picture = [*parts("look"), {"type": "image_url", "image_url": {"url": "data:,"}}]
    for value in (picture, [{"type": "text"}], [{"type": "text", "text": 5}]):
        with pytest.raises(DataError, match="text is list, expected text"):
            text.read(value, None)
        assert "not text" in str(chat.check([{"role": "user", "content": value}]))
    assert text.effort(parts("a" * 50)) == text.effort("a" * 50), "parts cost what they hold"


def test_init_sees_texts_in_parts(tmp_path):
    rows = [{"prompt": parts(f"Translate this thing {n}"), "completion": parts(f"Done it is {n}")} for n in range(30)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = guess(tmp_path / "rows.jsonl", tmp_path)
    assert (found.inputs, found.output, found.output_kind) == ({"prompt": "text"}, "completion", "text")


def test_the_answers_of_squad_are_texts_in_the_file_s_form_and_in_that_of_a_dataset():
    """A file of SQuAD lost every row: its answers are no text, but places in one."""
    listed = [
        {"text": "村雨城", "answer_start": 226},
        {"text": "村雨城", "answer_start": 226},
        {"text": "谜", "answer_start": 9},
    ]
    assert text.several(text.clean(listed, None)) == ["村雨城", "谜"]
    assert text.clean({"text": ["Ogród Saski"], "answer_start": [11]}, None) == "Ogród Saski"
    with pytest.raises(DataError, match="text is"):
        text.clean({"text": [3], "answer_start": [11]}, None)


def test_a_paragraph_with_several_questions_is_a_text(tmp_path):
    paragraphs = [" ".join(f"word{number}x{place}" for place in range(40)) for number in range(30)]
    rows = [
        {"context": paragraph, "question": f"What is said of number {place} in {paragraph[:9]}?",
         "answers": [{"text": f"the word {place} of {paragraph[:9]}", "answer_start": place}]}
        for paragraph in paragraphs for place in range(5)
    ]  # fmt: skip
    path = tmp_path / "train.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    found = guess(path, tmp_path)
    assert (found.inputs, found.output) == ({"context": "text", "question": "text"}, "answers")
