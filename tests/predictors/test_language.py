"""Tokens as text: pieces as they come, what ends an answer, what is told of it; and artifacts that are damaged."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from tests.learners import writers
from windlass.errors import DataError
from windlass.learners.language import tokens
from windlass.predictors.language import decoding, engine, language
from windlass.predictors.language.engine import no_joiners
from windlass.predictors.language.language import MOST_ROWS, Language
from windlass.predictors.language.prompts import Ids, Template
from windlass.predictors.language.writing import Writing, silent_hear
from windlass.records import Column, Manifest

END = writers.tokenizer().token_to_id(tokens.END)
TEMPLATE = Template(start=[END], roles={"user": ([], [])}, answer=[END], end=[END], most=40)


@dataclass
class Spelled:
    """A decoder that writes the same ids after every prompt, byte by byte where a text is given."""

    ids: Ids
    batches: list[int] = field(default_factory=list)
    takes_more: bool = True

    def can(self, how: Writing) -> bool:
        return how.beams == 1

    def room(self, prompt: Ids) -> int:
        return 10**6

    def write(self, prompts: Sequence[Ids], how: Writing, step, join=no_joiners) -> None:
        self.batches.append(len(prompts))
        for row, _ in enumerate(prompts):
            for token in self.ids:
                if not step(row, token, -0.5, ()):
                    break

    def nats(self, prompts: Sequence[Ids], answers: Sequence[Ids]) -> np.ndarray:
        return np.array([float(len(answer)) for answer in answers])


@pytest.fixture(scope="module")
def prompts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    writers.save_tokenizer(writers.tokenizer(), folder)
    return writers.prompts(folder, TEMPLATE)


def spelled(prompts, text: str) -> Ids:
    """One token a byte, so that characters and stop texts lie across tokens."""
    made = prompts.tokenizer
    letters = made.pre_tokenizer.pre_tokenize_str(text)
    return [made.token_to_id(letter) for word, _ in letters for letter in word]


def write(prompts, ids: Ids, how: Writing = Writing(), **asked):
    """What was written for one row, and the pieces that were heard."""
    pieces = []
    written = Language(prompts, [lambda: Spelled(ids)]).write(
        [asked or {"said": "ab"}], how, lambda row, piece: bool(pieces.append(piece)) or True
    )[0]
    return written, pieces


TEXTS = [
    "plain words",
    "naïve 中文 👾👩‍👩‍👧 text",
    "two\n\nlines\nand\n",
    "\n\nafter breaks",
    " a space before",
    "\n",
    "",
    "end 👾",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("stop", [(), ("ds and", "###", "x\n")])
def test_the_pieces_join_to_the_text(prompts, text, stop):
    """Also where a character or a stop text lies across tokens; line breaks at both ends are left out."""
    written, pieces = write(prompts, [*spelled(prompts, text), END], Writing(stop=stop))
    assert written.text == text.strip("\n")
    assert "".join(pieces) == written.text
    assert written.finish == "stop"


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("most", [1, 3, 6])
def test_the_pieces_join_to_a_text_that_is_cut(prompts, text, most):
    written, pieces = write(prompts, [*spelled(prompts, text), END], Writing(max_tokens=most, stop=("\n\n", "word!")))
    assert "".join(pieces) == written.text
    assert text.lstrip("\n").startswith(written.text.rstrip("\ufffd"))


@pytest.mark.parametrize("stop", ["STOP", "P and", "S", "\n###", "👾"])
def test_a_stop_text_ends_the_answer_wherever_its_tokens_lie(prompts, stop):
    """Nothing of it is told, though its first bytes came before the last."""
    text = f"a SSTO {stop} and more {stop}"
    written, pieces = write(prompts, spelled(prompts, text), Writing(stop=("never", stop)))
    assert written.text == text[: text.index(stop)].strip("\n")
    assert "".join(pieces) == written.text
    assert written.finish == "stop"


def test_what_looks_like_a_stop_text_and_is_none_is_told_in_the_end(prompts):
    written, pieces = write(prompts, [*spelled(prompts, "a STO b STO"), END], Writing(stop=("STOP",)))
    assert written.text == "".join(pieces) == "a STO b STO"
    assert "a ST" not in pieces


def test_a_text_that_the_engine_ends_without_an_end_is_told_whole(prompts):
    """There was no room for more: what was held back is told."""
    written, pieces = write(prompts, spelled(prompts, "a STO"), Writing(stop=("STOP",)))
    assert (written.text, written.finish) == ("a STO", "length")
    assert "".join(pieces) == "a STO"


def test_a_row_that_nobody_hears_any_more_is_cancelled(prompts):
    heard = []

    def hear(row: int, piece: str) -> bool:
        heard.append(row)
        return row != 1 or heard.count(1) < 3

    rows = [{"said": "ab"}, {"said": "cd"}, {"said": "x"}]
    found = Language(prompts, [lambda: Spelled([*spelled(prompts, "abcdef"), END])]).write(rows, Writing(), hear)
    assert [written.finish for written in found] == ["stop", "cancelled", "stop"]
    assert [written.n_tokens for written in found] == [7, 3, 7]
    assert heard.count(1) == 3


def test_what_is_told_of_an_answer(prompts):
    written, _ = write(prompts, [*spelled(prompts, "abc"), END], Writing(n_logprobs=0))
    assert (written.n_tokens, written.logprob) == (4, -2.0)
    assert [token.text for token in written.tokens] == ["a", "b", "c"]
    assert written.n_prompt == len(prompts.of({"said": "ab"}).ids)
    assert written.n_cut == 0
    long, _ = write(prompts, [END], said="ab cd " * 60)
    assert long.n_cut > 0
    assert long.n_prompt == 40


def test_many_rows_are_written_in_batches_and_come_back_in_their_order(prompts):
    rows = [{"said": "ab cd " * (place % 7)} for place in range(2 * MOST_ROWS + 3)]
    decoder = Spelled([END])
    found = Language(prompts, [lambda: decoder]).write(rows, Writing(), silent_hear)
    assert decoder.batches == [MOST_ROWS, MOST_ROWS, 3]
    assert [written.n_prompt for written in found] == [len(prompts.of(row).ids) for row in rows]


def test_the_first_engine_that_can_is_asked_and_no_other_is_opened(prompts):
    opened = []

    def opener(name: str, decoder):
        return lambda: opened.append(name) or decoder

    class Other(Spelled):
        def can(self, how: Writing) -> bool:
            return how.beams < 4

    model = Language(prompts, [opener("fast", Spelled([END])), opener("slow", Other([END]))])
    assert opened == ["fast"]
    model.write([{"said": "a"}], Writing(beams=2), silent_hear)
    assert opened == ["fast", "slow"]
    with pytest.raises(DataError, match="cannot write in this way"):
        model.write([{"said": "a"}], Writing(beams=5), silent_hear)


@dataclass
class Arriving:
    """An intake whose rows come one at a time, as clients do that heard their last answers together."""

    rows: list[str]
    ended: list[str] = field(default_factory=list)

    def take(self):
        return [({"said": self.rows.pop(0)}, 8)] if self.rows else []

    def hear(self, number, piece):
        return True

    def end(self, number, written):
        self.ended.append(written.text)


@pytest.mark.parametrize(("takes_more", "batch"), [(False, 3), (True, 1)])
def test_an_engine_that_nothing_can_join_begins_with_all_who_come_together(prompts, takes_more, batch):
    """Its control, an engine that others can join, begins at once with the first."""
    decoder = Spelled([END], takes_more=takes_more)
    intake = Arriving(["a", "b", "c"])
    Language(prompts, [lambda: decoder]).serve(intake, Writing(max_tokens=8))
    assert decoder.batches == [batch]
    assert len(intake.ended) == batch


def test_the_likelihood_is_of_the_text_and_its_end(prompts):
    found = Language(prompts, [lambda: Spelled([])]).nats([{"said": "a"}] * 2, ["", "abc"])
    assert found.tolist() == [1.0, 1.0 + len(prompts.text("abc"))]


# Artifacts ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    """A folder that `language.load` opens, without the manifest that tests make."""
    folder = tmp_path_factory.mktemp("artifact")
    writers.decoder(folder / engine.MODEL)
    return folder


def manifest(**template) -> Manifest:
    settings = {"template": {**TEMPLATE.as_json(), **template}}
    return Manifest("language", "llm", (Column("said", "text"),), Column("answer", "text"), settings=settings)


def test_an_artifact_writes_what_its_model_writes(artifact):
    loaded = language.load(artifact, manifest())
    decoder = decoding.open_decoder(artifact / engine.MODEL, [END])
    rows, how = [{"said": "ab"}, {"said": "cd cd"}], Writing(max_tokens=6)
    other = Language(loaded.prompts, [lambda: decoder]).write(rows, how, silent_hear)
    assert loaded.write(rows, how, silent_hear) == other
    assert [written.finish for written in other] == ["length", "length"]


@pytest.mark.parametrize(
    "template", [{"end": []}, {"start": [10**6]}, {"roles": {"user": [[9_999], []]}}, {"most": 0}, {"default": [5_000]}]
)
def test_a_template_of_another_tokenizer_is_refused(artifact, template):
    with pytest.raises(DataError, match="template is damaged"):
        language.load(artifact, manifest(**template))


def test_a_manifest_without_a_template_is_refused(artifact):
    with pytest.raises(DataError, match="template is damaged"):
        language.load(artifact, replace(manifest(), settings={}))


def test_a_chat_column_is_a_conversation(artifact):
    columns = (Column("talk", "chat"),)
    roles = {"user": [[], [5]], "assistant": [[6], []]}
    loaded = language.load(artifact, replace(manifest(roles=roles), inputs=columns))
    talk = [{"role": "user", "content": "ab"}, {"role": "assistant", "content": "x"}, {"role": "user", "content": "cd"}]
    said = loaded.prompts
    wanted = [END, *said.text("ab"), 5, 6, *said.text("x"), *said.text("cd"), 5, END]
    assert said.of({"talk": json.dumps(talk)}).ids == wanted
