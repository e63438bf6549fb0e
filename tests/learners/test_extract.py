"""Answers that stand in a text are pointed at, in English and in Chinese, with and without a pretrained encoder."""

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from tests.learners import texts
from windlass.errors import NotReady
from windlass.learners.contract import Budget, Options
from windlass.learners.networks import encoders
from windlass.learners.retrieval import extract
from windlass.metrics.texts import TextMarks
from windlass.records import silent


@pytest.fixture
def no_encoder(monkeypatch):
    """As where the starter encoder is not installed."""
    monkeypatch.setitem(sys.modules, encoders.STARTER, None)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A BERT of one layer, 16 wide, with random weights and a tokenizer of letters."""
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(1)
    letters = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(chr(number) for number in range(33, 127))]
    vocabulary = {letter: place for place, letter in enumerate(letters)}
    config = BertConfig(
        vocab_size=len(letters), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=514,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder, safe_serialization=True)
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", continuing_subword_prefix=""))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


BRIEF = replace(extract.READER, epochs=1)


def fit(splits, folder, seconds=300.0, settings=extract.READER, **options):
    return extract.fit(splits, Options(folder, "token_f1", **options), Budget(seconds), silent, settings)


def test_score(predictor, splits) -> float:
    rows = splits.test.select(list(splits.inputs)).to_dicts()
    answers = [answer.value for answer in predictor.answer(rows)]
    return TextMarks(answers, [[right] for right in splits.test["answer"]]).value("token_f1")


test_score.__test__ = False  # a measure, no test


@pytest.mark.slow
@pytest.mark.parametrize("chinese", [False, True], ids=["English", "Chinese"])
def test_answers_are_found_and_served_alike(chinese, tmp_path, no_encoder):
    """Four towns stand in each text: the first one, or one by chance, is right one time in four."""
    splits = texts.question_splits(tmp_path, n_rows=160, chinese=chinese)
    fitted = fit(splits, tmp_path / "run")
    assert fitted.validation > 0.8
    predictor = texts.served(fitted.artifact)
    assert test_score(predictor, splits) > 0.8
    answer = predictor.answer(splits.test.select(list(splits.inputs)).to_dicts())[0]
    assert 0 < answer.confidence <= 1
    assert {path.name for path in fitted.artifact.iterdir()} == {
        "model.onnx", "vocabulary.json", "manifest.json", "golden.json"
    }  # fmt: skip
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"artifact"}
    assert max(entry["score"] for entry in fitted.curve) > 0.8
    settings = json.loads((fitted.artifact / "manifest.json").read_text())["settings"]
    assert (settings["network"], settings["column"]) == ("reader", "context")


@pytest.mark.slow
def test_the_seed_decides_it_all(tmp_path, no_encoder):
    """To a millionth: with another number of threads sums come in another order."""
    splits = texts.question_splits(tmp_path, n_rows=64)
    rows = splits.test.select(list(splits.inputs)).to_dicts()
    first, second, other = (
        [
            answer.confidence
            for answer in texts.served(fit(splits, tmp_path / name, 600, BRIEF, seed=seed).artifact).answer(rows)
        ]
        for name, seed in (("a", 13), ("b", 13), ("c", 14))
    )
    assert first == pytest.approx(second, abs=1e-6)
    assert first != pytest.approx(other, abs=1e-4)


@pytest.mark.slow
def test_an_encoder_reads_beside(tmp_path, encoder):
    """A random one is of little use, but it is trained, exported and served; the better network answers."""
    splits = texts.question_splits(tmp_path, n_rows=96)
    fitted = fit(splits, tmp_path / "run", variant=str(encoder))
    settings = json.loads((fitted.artifact / "manifest.json").read_text())["settings"]
    assert set(settings["tried"]) == {"reader", "encoder"}
    assert settings["tried"][settings["network"]] == max(settings["tried"].values())
    texts.served(fitted.artifact)


@pytest.mark.slow
def test_an_artifact_with_an_encoder_gives_what_was_trained(tmp_path, encoder):
    """The reader alone learns nothing in its time, so that the encoder's network is taken."""
    splits = texts.question_splits(tmp_path, n_rows=96)
    fitted = fit(splits, tmp_path / "run", 300, replace(BRIEF, lr=0.0), variant=str(encoder))
    assert (fitted.artifact / "tokenizer.json").is_file()
    settings = json.loads((fitted.artifact / "manifest.json").read_text())["settings"]
    assert (settings["network"], settings["encoder"]) == ("encoder", {"length": 512, "pad": 0})
    texts.served(fitted.artifact)


def test_an_encoder_that_does_not_know_the_script_is_not_tried(tmp_path, encoder, monkeypatch):
    shutil.copytree(encoder, tmp_path / encoders.STARTER / "model")
    (tmp_path / encoders.STARTER / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    vocabulary = extract.Vocabulary((), (), 1.0)
    chinese = texts.question_splits(tmp_path, chinese=True)
    assert extract._encoder(chinese, Options(tmp_path), vocabulary) is None
    assert extract._encoder(texts.question_splits(tmp_path), Options(tmp_path), vocabulary) is not None
    with pytest.raises(NotReady, match="does not know"):
        extract._encoder(chinese, Options(tmp_path, variant=str(encoder)), vocabulary)


def test_answers_that_do_not_stand_in_the_text_are_not_for_it(tmp_path):
    splits = texts.question_splits(tmp_path)
    said = pl.when(pl.int_range(pl.len()) % 4 == 0).then(pl.lit("no idea")).otherwise(pl.col("answer")).alias("answer")
    with pytest.raises(NotReady, match="75 % of the answers stand word for word in 'context', expected at least 90 %"):
        fit(replace(splits, train=splits.train.with_columns(said)), tmp_path / "run")


def test_it_needs_a_text_and_a_question(tmp_path):
    splits = replace(texts.question_splits(tmp_path), inputs={"context": "text"})
    with pytest.raises(NotReady, match="rows have 1 text column, expected a text and a question"):
        fit(splits, tmp_path / "run")
    with pytest.raises(NotReady, match="rows ask nothing"):
        fit(texts.corpus_splits(tmp_path, ["a"], ["a"]), tmp_path / "run")


@pytest.mark.slow
def test_without_validation_rows_the_last_weights_are_kept(tmp_path, no_encoder):
    fitted = fit(texts.without_validation(texts.question_splits(tmp_path, n_rows=64)), tmp_path / "run", 300, BRIEF)
    assert np.isnan(fitted.validation)
    assert texts.served(fitted.artifact).manifest.temperature == 1
