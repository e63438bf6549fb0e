"""The encoder of a leg as a graph that serving needs no torch for, and directions learned from the passages alone."""

import json
from pathlib import Path

import numpy as np

from windlass.learners.networks.encoders import locate
from windlass.predictors.passages.bm25 import Bm25
from windlass.predictors.passages.encoders import SETTINGS, TOKENIZER
from windlass.predictors.passages.lsa import Lsa, counted
from windlass.store.files import hash_file, write_text

WIDTH = 256
"""Directions of LSA."""


def export_encoder(variant: str, folder: Path) -> None:
    """Writes a pretrained encoder, mean of its last states, for `predictors.passages.encoders.load`.

    variant: a folder or a hub name; nothing: the starter encoder. Raises: NotReady, SpecError, GateRefused.
    """
    from windlass.learners.networks.export import export
    from windlass.learners.networks.pretrained import LENGTH, Pooled, load_encoder
    from windlass.predictors.networks.onnx import FILE

    config, backbone, tokenizer = load_encoder(locate(variant))
    pad = config.pad_token_id or 0
    sample = np.random.default_rng(13).integers(5, min(config.vocab_size, 1_000), (3, 12))
    sample[1:, 8:] = pad
    folder.mkdir(parents=True, exist_ok=True)
    export(Pooled(backbone, pad, config.hidden_size), [sample], folder)
    write_text(folder / TOKENIZER, tokenizer)
    name = f"{Path(variant).name or 'starter'} {hash_file(folder / FILE)[:12]}"
    length = min(LENGTH, getattr(config, "max_position_embeddings", LENGTH + 2) - 2)
    write_text(folder / SETTINGS, json.dumps({"name": name, "length": length, "pad": pad}))


def learn_lsa(words: Bm25, passages: list[str], seed: int = 13, width: int = WIDTH) -> Lsa:
    """Directions in which these passages differ most; as many as they can have at most. A term of one passage alone
    tells nothing of others: such are two of three, and have none, unless there is no other."""
    from scipy.sparse import csr_matrix
    from sklearn.decomposition import TruncatedSVD

    n_with = np.diff(words.starts)
    known = np.flatnonzero(n_with > 1) if (n_with > 1).any() else np.flatnonzero(n_with)
    column = np.full(len(n_with), -1, np.int32)
    column[known] = np.arange(len(known))
    rows = [(column[found], weights) for found, weights in (counted(text, words.numbers) for text in passages)]
    rows = [(found[found >= 0], weights[found >= 0]) for found, weights in rows]
    starts = np.cumsum([0, *(len(found) for found, _ in rows)])
    places, counts = (np.concatenate([each[part] for each in rows] or [np.zeros(0)]) for part in (0, 1))
    size = min(width, len(known) - 1, len(passages) - 1)
    if size < 1:
        return Lsa(words.numbers, np.zeros((len(known), 1), np.float16), known)
    numbers, rarity = places.astype(np.int32), words.rarity[known]
    weights = csr_matrix((counts * rarity[numbers], numbers, starts), (len(passages), len(known)))
    lengths = np.maximum(np.sqrt(np.asarray(weights.multiply(weights).sum(axis=1))), 1e-12)
    model = TruncatedSVD(size, random_state=seed).fit(weights.multiply(1 / lengths).tocsr())
    return Lsa(words.numbers, np.ascontiguousarray(model.components_.T * rarity[:, None], np.float16), known)
