"""A language model in 8 bits: a smaller copy, which answers, and whose answers are the golden ones."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.learners import writers
from tests.learners.test_gpt import options, train
from windlass.errors import SpecError
from windlass.learners.contract import Fitted, Options
from windlass.learners.language import language
from windlass.predictors.language import ctranslate, decoding
from windlass.predictors.language.engine import FAST, MODEL
from windlass.predictors.language.language import Language
from windlass.predictors.table import load, replay
from windlass.records import Splits
from windlass.spec import Language as Section
from windlass.spec import parse
from windlass.store import diagnostics

TOLERANCE = 0.1
"""Nats a token between 8 and 32 bits, on a model of 64 dimensions; it was 0.03."""


@pytest.fixture(scope="module")
def splits(tmp_path_factory) -> Splits:
    return writers.echoes(tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="module")
def delivered(tmp_path_factory, splits) -> Callable[[Path, str], Fitted]:
    """Delivers one trained model as often as is asked, quantised as is asked."""
    chosen = options(tmp_path_factory.mktemp("run"))
    trained = train(splits, chosen, 240)

    def again(folder: Path, quantise: str) -> Fitted:
        asked: Options = replace(chosen, folder=folder, language=Section(quantise=quantise))
        (asked.artifact / MODEL).mkdir(parents=True)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (asked.artifact / MODEL / name).write_bytes((chosen.artifact / MODEL / name).read_bytes())
        return language.deliver(trained, splits, asked, lambda *_: True)

    return again


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_int8_makes_the_artifact_smaller_and_answers_as_it_was_shipped(tmp_path, delivered, splits):
    """Control: without the option the copy is float32."""
    plain, small = delivered(tmp_path / "plain", "").artifact, delivered(tmp_path / "small", "int8").artifact
    assert size(small / FAST) < 0.5 * size(plain / FAST)
    assert size(small) < size(plain)
    for artifact, kind in ((plain, "float32"), (small, "int8_float32")):
        model = load(artifact)
        assert replay(model, artifact) == 0
        assert model.engine._decoder(model.writing).engine.compute_type == kind
    rows = splits.train.select("said").to_dicts()
    texts = splits.train["answer"].to_list()
    right = [answer.value == text for answer, text in zip(load(small).answer(rows), texts, strict=True)]
    assert sum(right) > 0.9 * len(right)


def test_int8_foresees_texts_as_float32_does(tmp_path, delivered, splits):
    artifact = delivered(tmp_path / "small", "int8").artifact
    prompts = load(artifact).engine.prompts
    rows, texts = splits.validation.select("said").to_dicts(), splits.validation["answer"].to_list()
    end = prompts.template.end
    exact = Language(prompts, [lambda: decoding.open_decoder(artifact / MODEL, end)]).nats(rows, texts)
    rounded = Language(prompts, [lambda: ctranslate.open_decoder(artifact, end)]).nats(rows, texts)
    n_tokens = sum(len(prompts.text(text)) + 1 for text in texts)
    assert abs(exact.sum() - rounded.sum()) / n_tokens < TOLERANCE
    assert (exact != rounded).any()


def test_a_model_that_cannot_be_quantised_says_so(tmp_path, delivered, monkeypatch):
    monkeypatch.setitem(sys.modules, "ctranslate2", None)
    fitted = delivered(tmp_path / "none", "int8")
    assert not (fitted.artifact / FAST).exists()
    assert fitted.curve[-1]["note"].endswith(language.NOT_QUANTISED)
    assert load(fitted.artifact).manifest.settings["notes"] == [language.NOT_QUANTISED]
    assert language.NOT_QUANTISED not in delivered(tmp_path / "plain", "").curve[-1].get("note", "")


def test_the_spec_knows_int8_alone():
    said = "name: a\ndata: rows.csv\ninputs: {said: text}\noutput: {answer: text}\nlanguage: {quantise: %s}\n"
    assert parse(said % "int8").language.quantise == "int8"
    with pytest.raises(SpecError, match="is 'int4', expected '' or 'int8'"):
        parse(said % "int4")


def test_why_ctranslate2_does_not_take_a_model_is_in_the_log(tmp_path, log_in):
    log_in(tmp_path)
    assert language._convert(tmp_path / "no model", None) is None
    log = (tmp_path / diagnostics.LOG).read_text(encoding="utf-8")
    assert "WARNING windlass.learners" in log
    assert f"CTranslate2 cannot take the model in {tmp_path / 'no model'}: it answers by torch\n" in log
    assert "in _convert\n" in log
