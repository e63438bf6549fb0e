"""Small rows that any learner can learn: what the tests of the networks train on."""

import base64
import io
import random
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from windlass.records import Splits

MOODS = {"glad": ["good", "lovely", "bright"], "sad": ["bad", "dreary", "grim"], "calm": ["quiet", "still", "even"]}
FILLER = ["the", "day", "was", "in", "this", "town", "and", "all", "of", "us", "saw", "it"]


def sentences(n_rows: int, seed: int = 1) -> pl.DataFrame:
    """Sentences of 1 to 14 words; one of them tells the mood."""
    chance = random.Random(seed)
    rows = []
    for place in range(n_rows):
        mood = list(MOODS)[place % len(MOODS)]
        words = [chance.choice(FILLER) for _ in range(chance.randint(0, 13))]
        words.insert(chance.randint(0, len(words)), chance.choice(MOODS[mood]))
        rows.append(
            {
                "text": " ".join(words),
                "mood": mood,
                "age": chance.uniform(0, 9),
                "town": chance.choice(["Ulm", "Bonn"]),
                "day": f"2026-03-{chance.randint(1, 28):02d}",
            }
        )
    return pl.DataFrame(rows)


def text_splits(root: Path, n_rows: int = 90, n_validation: int = 30, table: bool = False) -> Splits:
    """Text, and with `table` a column of each dense kind beside it."""
    inputs = {"text": "text"} | ({"age": "number", "town": "category", "day": "date"} if table else {})
    rows = sentences(n_rows + n_validation)
    return Splits(
        inputs,
        {"mood": "category"},
        rows.head(n_rows),
        rows.tail(n_validation) if n_validation else rows.clear(),
        rows.tail(9),
        root,
    )


def pictures(n_rows: int, side: int = 16, seed: int = 1) -> pl.DataFrame:
    """A bright bar that lies or stands, as PNG in a data: URI."""
    chance = np.random.default_rng(seed)
    rows = []
    for place in range(n_rows):
        pixels = chance.integers(0, 40, (side, side)).astype(np.uint8)
        start = int(chance.integers(4, side - 5))
        pixels[
            (slice(start, start + 2), slice(3, side - 3))
            if place % 2
            else (slice(3, side - 3), slice(start, start + 2))
        ] = 230
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        rows.append(
            {
                "picture": f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}",
                "bar": "lies" if place % 2 else "stands",
            }
        )
    return pl.DataFrame(rows)


def picture_splits(root: Path, n_rows: int = 64) -> Splits:
    rows = pictures(n_rows + 20)
    return Splits({"picture": "image"}, {"bar": "category"}, rows.head(n_rows), rows.tail(20), rows.tail(8), root)


def answers_alike(splits: Splits, artifact: Path) -> float:
    """Accuracy of the artifact on the validation rows, through the predictor, its golden rows replayed first."""
    from windlass.predictors.table import load, replay

    predictor = load(artifact)
    assert replay(predictor, artifact) < 1e-4
    rows = splits.validation.select(list(splits.inputs)).to_dicts()
    answers = [answer.value for answer in predictor.answer(rows)]
    return float(
        np.mean(
            [answer == truth for answer, truth in zip(answers, splits.validation[splits.output_column], strict=True)]
        )
    )


def longer(tokens: np.ndarray, pad: int = 0) -> np.ndarray:
    """The same rows with seven more places of padding."""
    return np.pad(tokens, ((0, 0), (0, 7)), constant_values=pad)


def padding_changes(encoder, n_tokens: int = 12) -> float:
    """Largest difference that more padding makes to an encoder's features."""
    import torch

    tokens = np.random.default_rng(3).integers(2, n_tokens, (4, 9))
    for row, length in enumerate((9, 4, 1, 7)):
        tokens[row, length:] = 0
    encoder.eval()
    with torch.inference_mode():
        short, long = encoder(torch.from_numpy(tokens)), encoder(torch.from_numpy(longer(tokens)))
        alone = torch.cat(
            [encoder(torch.from_numpy(tokens[row : row + 1, :length])) for row, length in enumerate((9, 4, 1, 7))]
        )
    return max(float((short - long).abs().max()), float((short - alone).abs().max()))


STATE = {"form": "ids", "tokens": [f"t{number}" for number in range(10)], "length": 32, "pad": 0}
