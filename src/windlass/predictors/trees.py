"""Answers from LightGBM's own text model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import Batch, Sparse
from windlass.predictors.contract import Engine
from windlass.records import Manifest

FILE = "model.txt"


def features(batches: Sequence[Batch]) -> Any:
    """All inputs side by side: a float32 array, or a scipy CSR matrix when one of them is sparse."""
    dense = [batch.reshape(len(batch), -1) for batch in batches if not isinstance(batch, Sparse)]
    sparse = [batch for batch in batches if isinstance(batch, Sparse)]
    if not sparse:
        return np.concatenate(dense, axis=1)
    from scipy.sparse import csr_matrix, hstack

    wide = [csr_matrix((part.values, part.places, part.starts), (len(part.starts) - 1, part.width)) for part in sparse]
    return hstack([*wide, *(csr_matrix(part) for part in dense)], format="csr")


def load(folder: Path, manifest: Manifest) -> Engine:
    """Raises: DataError when the model is damaged."""
    import lightgbm

    try:
        booster = lightgbm.Booster(model_str=(folder / FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, lightgbm.basic.LightGBMError) as error:
        raise DataError(f"{folder / FILE} is damaged ({error}), expected a LightGBM model") from None

    def logits(batches: Sequence[Batch]) -> np.ndarray:
        scores = np.asarray(booster.predict(features(batches), raw_score=True, num_threads=1))
        return scores if scores.ndim == 2 else np.stack([np.zeros_like(scores), scores], axis=1)

    return logits
