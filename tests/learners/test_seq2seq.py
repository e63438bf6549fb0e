"""Encoder and decoder: from scratch it learns a toy and resumes; pretrained ones are fine-tuned and served."""

import json
import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.learners import writers
from tests.learners.test_gpt import assert_same_weights
from windlass.errors import NotReady, SpecError
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.language import encoder_decoder, hub, language, seq2seq
from windlass.learners.networks.training import loop
from windlass.predictors.language import ctranslate, decoding
from windlass.predictors.language.engine import FAST, MODEL
from windlass.predictors.language.language import Language
from windlass.predictors.language.writing import Writing, silent_hear
from windlass.predictors.table import load, replay
from windlass.records import Splits, silent

TINY = seq2seq.Shape(width=48, layers=2, heads=4, hidden=96, length=32, dropout=0.0)
FAMILIES = ("t5", "marian", "bart")


QUICK = seq2seq.Recipe(
    {"small": TINY, "default": TINY},
    replace(seq2seq.SETTINGS, lr=4e-3, batch=32, average=0.9, smoothing=0.0, checkpoint_seconds=0.0),
    encoder_decoder.Recipe(replace(encoder_decoder.SETTINGS, lr=1e-2), {"t5": 1e-2}),
)


def reversed_words(root: Path, n_rows: int = 32) -> Splits:
    """Short words that are to be said backwards; so few that they are learned by heart, and judged by what was."""
    said = writers.words(n_rows)
    rows = pl.DataFrame({"said": said, "answer": [word[::-1] for word in said]})
    return Splits({"said": "text"}, {"answer": "text"}, rows, rows.head(8), rows.tail(8), root)


def options(folder: Path, variant: str = "") -> Options:
    folder.mkdir(parents=True, exist_ok=True)
    return Options(folder, "exact_match", variant=variant)


def fit(folder: Path, splits: Splits, variant: str = "", steps: int = 10, is_better=None) -> Fitted:
    chosen = options(folder, variant)
    trained = seq2seq.train(splits, chosen, Budget(600, steps), silent, QUICK)
    return language.deliver(trained, splits, chosen, is_better)


# From scratch ---------------------------------------------------------------------------------------------------------


def test_it_learns_to_say_words_backwards(tmp_path):
    splits = reversed_words(tmp_path)
    fitted = fit(tmp_path / "run", splits, steps=150)
    model = load(fitted.artifact)
    assert replay(model, fitted.artifact) == 0
    answers = [answer.value for answer in model.answer(splits.train.select("said").to_dicts())]
    assert np.mean([answer == right for answer, right in zip(answers, splits.train["answer"], strict=True)]) > 0.9
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"artifact"}


def test_what_it_learned_is_written_alike_by_ctranslate2(tmp_path):
    """CTranslate2 begins with padding by itself: that is what training began with."""
    splits = reversed_words(tmp_path)
    fitted = fit(tmp_path / "run", splits, steps=30, is_better=lambda *_: True)
    prompts, rows = load(fitted.artifact).engine.prompts, splits.train.select("said").to_dicts()
    end, texts = prompts.template.end, splits.train["answer"].to_list()
    slow, fast = (Language(prompts, [opener]) for opener in (
        lambda: decoding.open_decoder(fitted.artifact / MODEL, end),
        lambda: ctranslate.open_decoder(fitted.artifact, end)))  # fmt: skip
    assert fast.nats(rows, texts) == pytest.approx(slow.nats(rows, texts), rel=1e-4)
    wanted = [written.text for written in slow.write(rows, Writing(max_tokens=8), silent_hear)]
    assert [written.text for written in fast.write(rows, Writing(max_tokens=8), silent_hear)] == wanted


def test_where_a_token_stands_is_told_by_sines_and_not_by_chance():
    """Vaswani et al. 2017, section 3.5: the first token's sines are 0 and its cosines 1."""
    places = [seq2seq.build(TINY, 300, 1).model.encoder.embed_positions.weight for _ in range(2)]
    assert places[0].equal(places[1])
    assert places[0][0].tolist() == [0.0] * 24 + [1.0] * 24


def test_broken_off_it_resumes_to_the_same_weights(tmp_path):
    """`test_gpt` kills such a run; here it breaks off in its sixth step."""

    class Broken(Exception):
        pass

    def progress(task, done, total, note=""):
        if done >= 6:
            raise Broken

    splits = reversed_words(tmp_path)
    wanted = fit(tmp_path / "whole", splits)
    ticking = Budget(600, 10, map(float, count()).__next__)  # so that each step is reported
    with pytest.raises(Broken):
        seq2seq.train(splits, options(tmp_path / "broken"), ticking, progress, QUICK)
    assert loop.is_begun(Options(tmp_path / "broken"))
    assert_same_weights(wanted, fit(tmp_path / "broken", splits))


def test_what_is_neither_preset_nor_model_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(SpecError, match="did you mean 'default'"):
        fit(tmp_path, reversed_words(tmp_path), "defualt")
    with pytest.raises(SpecError, match="expected a folder"):
        fit(tmp_path, reversed_words(tmp_path), "./not/there")


def test_rows_that_ask_nothing_are_not_tried(tmp_path):
    splits = reversed_words(tmp_path)
    empty = splits.train.with_columns(said=pl.lit(""))
    with pytest.raises(NotReady, match="ask nothing"):
        fit(tmp_path, replace(splits, train=empty))


# Pretrained -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {family: writers.pair(root / family, family) for family in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_fine_tuned_is_what_is_delivered_and_served(tmp_path, folders, family):
    """The tokens of the model in memory, of the artifact with torch, and of its conversion are the same."""
    splits = reversed_words(tmp_path)
    chosen = options(tmp_path / "run", str(folders[family]))
    trained = seq2seq.train(splits, chosen, Budget(600, 12), silent, QUICK)
    fitted = language.deliver(trained, splits, chosen, lambda *_: True)
    losses = [entry["validation_loss"] for entry in fitted.curve]
    assert losses[-1] < losses[0] - 0.5
    loaded = load(fitted.artifact)
    assert replay(loaded, fitted.artifact) == 0
    prompts, rows = loaded.engine.prompts, splits.validation.select("said").to_dicts()
    how = Writing(max_tokens=8, n_logprobs=0)
    wanted = Language(trained.prompts, [lambda: decoding.TorchDecoder(trained.model, prompts.template.end)]).write(
        rows, how, silent_hear)  # fmt: skip
    slow = decoding.open_decoder(fitted.artifact / MODEL, prompts.template.end)
    found = Language(prompts, [lambda: slow]).write(rows, how, silent_hear)
    assert [each.tokens for each in found] == [each.tokens for each in wanted]
    if family == "bart":  # CTranslate2 4.8 reads no BART of transformers 5
        assert not (fitted.artifact / FAST).exists()
        return
    fast = ctranslate.open_decoder(fitted.artifact, prompts.template.end)
    found = Language(prompts, [lambda: fast]).write(rows, how, silent_hear)
    told = [[token.text for token in each.tokens] for each in wanted]
    assert [[token.text for token in each.tokens] for each in found] == told


@pytest.mark.parametrize(("family", "before"), [("t5", 0), ("marian", 0), ("bart", 1)])
def test_what_is_asked_stands_between_the_tokens_of_the_tokenizer_itself(folders, family, before):
    opened = hub.open_model(str(folders[family]), "seq2seq", is_pair=True)
    template = encoder_decoder.template_of(opened, 64, is_chat=False)
    prompts = writers.prompts(folders[family], template)
    assert prompts.of({"said": "ab cd"}).ids == opened.reader("ab cd")["input_ids"]
    assert len(template.start) == before


def test_bart_begins_after_its_first_token_and_t5_where_its_configuration_says(folders):
    starts = {}
    for family in FAMILIES:
        opened = hub.open_model(str(folders[family]), "seq2seq", is_pair=True)
        starts[family] = encoder_decoder._start(opened.model)
        assert opened.model.config.decoder_start_token_id == starts[family]
    made = writers.tokenizer()
    assert starts["t5"] == made.token_to_id("<|pad|>")
    assert starts["bart"] == made.token_to_id("<|begin_of_text|>")


def test_a_conversation_is_one_text_with_its_roles(folders):
    opened = hub.open_model(str(folders["t5"]), "seq2seq", is_pair=True)
    template = encoder_decoder.template_of(opened, 64, is_chat=True)
    prompts = writers.prompts(folders["t5"], template, talk="chat")
    ids = prompts.of({"talk": json.dumps([{"role": "user", "content": "ab"}])}).ids
    assert prompts.tokenizer.decode(ids) == "user: ab; "
    assert ids[-1] == opened.ends[0]


def test_a_decoder_alone_is_refused(tmp_path):
    folder = writers.decoder(tmp_path / "gpt2", "gpt2")
    with pytest.raises(SpecError, match="is a 'gpt2' model, expected an encoder-decoder"):
        fit(tmp_path, reversed_words(tmp_path), str(folder))


def test_marian_without_a_tokenizer_json_says_what_is_missing(tmp_path, folders):
    """Its pair of sentencepiece models needs parts that are not installed."""
    folder = tmp_path / "marian"
    shutil.copytree(folders["marian"], folder)
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "MarianTokenizer"}')
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(b"no model")
    (folder / "vocab.json").write_text('{"a": 0}')
    with pytest.raises(NotReady, match=r"has no tokenizer\.json, and transformers cannot make one"):
        fit(tmp_path, reversed_words(tmp_path), str(folder))
