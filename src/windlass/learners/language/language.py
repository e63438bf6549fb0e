"""Training and delivering language models: rows as token ids, the loss on what is to be written, and the artifact.

Shapes: B rows, T tokens, V vocabulary.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from logging import getLogger
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers.utils import logging

from windlass.kinds.text import pad
from windlass.learners.contract import Fitted, Options
from windlass.learners.language.written import answers_read, finish_text, inputs_read
from windlass.learners.networks.training import loop, probe
from windlass.learners.networks.training.task import Verdict, checksums, in_precision
from windlass.metrics.texts import TextMarks
from windlass.predictors.language import ctranslate, decoding
from windlass.predictors.language.engine import FAST, MODEL
from windlass.predictors.language.language import Language
from windlass.predictors.language.prompts import Ids, Prompts
from windlass.predictors.language.writing import Writing, silent_hear
from windlass.records import Column, Json, Row, Splits
from windlass.store.json_files import read_json, write_json

logger = getLogger("windlass.learners")
IGNORED = -100
UNLIKELY = -30.0
"""A logit that counts for nothing, and yet is finite, as label smoothing needs it."""
MOST_JUDGED, N_PROBED = 500, 12
NOT_QUANTISED = "weights are float32, expected int8: CTranslate2 is not installed or does not know the architecture"
SLACK, LEAST_TOKENS, MOST_TOKENS = 1.5, 16, 512


@dataclass(frozen=True)
class Pairs:
    """What is asked and what is to be written, as token ids, one of each a row; both may be empty.

    n_cut: rows of which not all that is asked fitted.
    """

    asked: list[Ids]
    written: list[Ids]
    n_cut: int = 0

    def __len__(self) -> int:
        return len(self.asked)

    def identity(self) -> list[Any]:
        return checksums(
            [
                np.array([number for row in rows for number in [*row, -1]], np.int64)
                for rows in (self.asked, self.written)
            ]
        )


def rows_of(splits: Splits, part: str) -> tuple[list[Row], list[str]]:
    """The rows of a split as a predictor reads them, and what is to be written for each."""
    table = getattr(splits, part)
    return inputs_read(splits, table), answers_read(splits, table)


def columns_of(splits: Splits) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name, kind in splits.inputs.items())


def encode(prompts: Prompts, rows: Sequence[Row], texts: Sequence[str], most: int) -> Pairs:
    """Prompts and answers, each answer with the end that closes it, cut to `most` tokens."""
    end = prompts.template.end[:1]
    asked = [prompts.of(row) for row in rows]
    return Pairs(
        [prompt.ids for prompt in asked],
        [[*prompts.text(text)[: most - 1], *end] for text in texts],
        sum(prompt.n_cut > 0 for prompt in asked),
    )


# Tasks ----------------------------------------------------------------------------------------------------------------


def cross_entropy(
    logits_BTV: torch.Tensor, wanted_BT: torch.Tensor, smoothing: float, summed: bool = False
) -> torch.Tensor:
    """Of the tokens that are wanted; the mean, or their sum."""
    return functional.cross_entropy(
        logits_BTV.float().flatten(0, 1),
        wanted_BT.flatten(),
        ignore_index=IGNORED,
        label_smoothing=smoothing,
        reduction="sum" if summed else "mean",
    )


def _tensor(rows: Sequence[Ids], filler: int) -> torch.Tensor:
    return torch.from_numpy(pad(rows, filler)).to(probe.device())


@dataclass(frozen=True)
class AnswerTask:
    """Learns to write the answer of each row, and nothing of what was asked.

    is_pair: an encoder reads what is asked; else both stand in one sequence.
    start: the id that a decoder's sequence begins with. banned: ids that are never written, and so not learned: the
    row of such a one in the table stays as it was.
    """

    train: Pairs
    validation: Pairs
    is_pair: bool
    start: int = 0
    banned: tuple[int, ...] = ()
    metric: str = "log-likelihood"

    @cached_property
    def lengths(self) -> np.ndarray:
        return np.array(
            [len(asked) + len(written) for asked, written in zip(self.train.asked, self.train.written, strict=True)],
            np.int64,
        )

    @property
    def n_validation(self) -> int:
        return min(MOST_JUDGED, len(self.validation))

    def identity(self) -> list[Any]:
        return [self.is_pair, self.start, self.banned, *self.train.identity(), *self.validation.identity()]

    def loss(self, model: nn.Module, rows: np.ndarray, smoothing: float) -> torch.Tensor:
        return self._loss(model, self.train, rows, smoothing)[0]

    def judge(self, model: nn.Module, batch: int, precision: str) -> Verdict:
        """The mean log-likelihood of a token of the answers."""
        total, n_tokens = 0.0, 0
        with torch.inference_mode(), in_precision(precision):
            for start in range(0, self.n_validation, batch):
                rows = np.arange(start, min(start + batch, self.n_validation))
                loss, count = self._loss(model, self.validation, rows, 0.0, summed=True)
                total, n_tokens = total + float(loss), n_tokens + count
        mean = total / max(1, n_tokens)
        return Verdict(-mean, mean)

    def _loss(
        self, model: nn.Module, pairs: Pairs, rows: np.ndarray, smoothing: float, summed: bool = False
    ) -> tuple[torch.Tensor, int]:
        """The loss of these rows, and over how many tokens."""
        asked, written = [pairs.asked[row] for row in rows], [pairs.written[row] for row in rows]
        if self.is_pair:
            wanted = written
            logits_BTV = model(
                input_ids=_tensor(asked, 0),
                attention_mask=(_mask(asked)),
                decoder_input_ids=_tensor([[self.start, *row[:-1]] for row in written], 0),
            ).logits
        else:
            whole = [[*before, *after] for before, after in zip(asked, written, strict=True)]
            first = min(map(len, asked)) - 1  # logits before are nobody's answer, and most of the memory
            wanted = [
                [*[IGNORED] * (len(before) - 1 - first), *after] for before, after in zip(asked, written, strict=True)
            ]
            n_kept = max(map(len, whole)) - 1 - first
            logits_BTV = model(
                input_ids=_tensor([row[:-1] for row in whole], 0),
                attention_mask=_mask([row[:-1] for row in whole]),
                logits_to_keep=n_kept,
            ).logits
        if self.banned:
            logits_BTV = logits_BTV.index_fill(-1, torch.tensor(self.banned, device=logits_BTV.device), UNLIKELY)
        return (
            cross_entropy(logits_BTV, _tensor(wanted, IGNORED), smoothing, summed),
            sum(len(row) for row in written),
        )


def _mask(rows: Sequence[Ids]) -> torch.Tensor:
    lengths = torch.tensor([len(row) for row in rows])
    return (torch.arange(int(lengths.max()))[None, :] < lengths[:, None]).long().to(probe.device())


@dataclass(frozen=True)
class ContinuationTask:
    """Learns to continue a long text: all of it, cut anew into blocks of `length` tokens in each epoch.

    stream, validation: (n,) int64 token ids, texts one after the other.
    """

    stream: np.ndarray
    validation: np.ndarray
    length: int
    metric: str = "log-likelihood"

    @cached_property
    def lengths(self) -> np.ndarray:
        return np.full(max(1, (len(self.stream) - 1) // self.length), self.length, np.int64)

    @property
    def n_validation(self) -> int:
        return min(MOST_JUDGED, (len(self.validation) - 1) // self.length)

    def identity(self) -> list[Any]:
        return [self.length, *checksums([self.stream, self.validation])]

    def loss(self, model: nn.Module, rows: np.ndarray, smoothing: float) -> torch.Tensor:
        room = max(1, len(self.stream) - self.length)
        shift = torch.randint(0, self.length, (len(rows),)).numpy()  # torch's chance is kept in checkpoints
        blocks_BT = self._blocks(self.stream, (rows * self.length + shift) % room)
        return cross_entropy(model(input_ids=blocks_BT[:, :-1]).logits, blocks_BT[:, 1:], smoothing)

    def judge(self, model: nn.Module, batch: int, precision: str) -> Verdict:
        """The mean log-likelihood of a token; each block is read without what stands before it."""
        total, starts = 0.0, np.arange(self.n_validation) * self.length
        with torch.inference_mode(), in_precision(precision):
            for place in range(0, len(starts), batch):
                blocks_BT = self._blocks(self.validation, starts[place : place + batch])
                total += float(cross_entropy(model(input_ids=blocks_BT[:, :-1]).logits, blocks_BT[:, 1:], 0.0, True))
        mean = total / max(1, len(starts) * self.length)
        return Verdict(-mean, mean)

    def _blocks(self, stream: np.ndarray, starts: np.ndarray) -> torch.Tensor:
        rows = np.stack([stream[start : start + self.length + 1] for start in starts])
        return torch.from_numpy(rows).to(probe.device())


def stream_of(texts: Sequence[Ids]) -> np.ndarray:
    return np.array([number for text in texts for number in text], np.int64)


Compare = Callable[[Language, Language, Splits, Writing], bool]


# The artifact ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trained:
    """A language model that was trained, and what its manifest shall tell.

    answers: of the training rows, which tell how long an answer may become; none where nothing is asked.
    """

    learner: str
    model: Any
    prompts: Prompts
    curve: list[Json]
    settings: Json
    answers: Sequence[Ids]


def deliver(trained: Trained, splits: Splits, options: Options, is_better: Compare | None = None) -> Fitted:
    """Writes the artifact: the model in Hugging Face's form, and converted for CTranslate2 where that is faster.

    A conversion to int8 was asked for, and stays: what it costs is what the leaderboard tells.

    Args: is_better: (torch, CTranslate2, rows, how they write) -> whether the second one serves; None: `is_faster`.
    """
    # 1. Hugging Face's form in any case: it tells what a conversion does not (`Language.echo`).
    folder, model = options.artifact, trained.model.eval().cpu()
    (folder / MODEL).mkdir(parents=True, exist_ok=True)
    logging.disable_progress_bar()
    model.save_pretrained(folder / MODEL)
    longest = float(np.percentile([len(answer) for answer in trained.answers], 99)) if trained.answers else LEAST_TOKENS
    suited = int(min(MOST_TOKENS, max(LEAST_TOKENS, SLACK * longest)))
    how = Writing(max_tokens=options.language.max_tokens or suited)
    engine = Language(trained.prompts, [lambda: decoding.TorchDecoder(model, trained.prompts.template.end)])
    quantise = options.language.quantise
    # 2. The faster engine only where it writes the same texts, unless int8 was asked for.
    converted = _convert(folder, trained.prompts, quantise)
    if converted is not None and not quantise and not (is_better or is_faster)(engine, converted, splits, how):
        shutil.rmtree(folder / FAST)
        converted = None
    # 3. Beams are chosen with the engine that will serve, on validation rows.
    how = _best_beams(converted or engine, splits, options, how) if model.config.is_encoder_decoder else how
    settings = {
        **trained.settings,
        "template": trained.prompts.template.as_json(),
        "writing": {"max_tokens": how.max_tokens, "beams": how.beams},
        "engine": "ctranslate2" if converted else "torch",
        "quantised": quantise if converted else "",
        "parameters": sum(value.numel() for value in model.parameters()),
    }
    lacks = quantise and not converted
    if lacks:
        settings["notes"] = [*settings.get("notes", ()), NOT_QUANTISED]
    manifest = {"predictor": "language", "learner": trained.learner, "settings": settings}
    fitted = finish_text(options, manifest, splits, converted or engine)
    loop.clean(options)
    return replace(fitted, curve=_noted(trained.curve, NOT_QUANTISED) if lacks else trained.curve)


def _noted(curve: Sequence[Json], note: str) -> list[Json]:
    """The curve with this note at its last point, after those that are there."""
    last = curve[-1] if curve else {}
    return [*curve[:-1], {**last, "note": "; ".join(filter(None, [last.get("note"), note]))}]


def _convert(folder: Path, prompts: Prompts, quantise: str = "") -> Language | None:
    """The model opened by CTranslate2; None when that is not installed or does not know the architecture.

    Args: quantise: what its weights become, 'int8'; '': as they are.
    """
    if find_spec("ctranslate2") is None:
        return None
    from ctranslate2.converters import TransformersConverter

    try:
        converter = TransformersConverter(str(folder / MODEL))
        converter.convert(str(folder / FAST), quantization=quantise or None, force=True)
        end = prompts.template.end
        _name_missing(folder / FAST / "config.json", prompts.tokenizer.id_to_token(end[0]))
        return Language(prompts, [lambda: ctranslate.open_decoder(folder, end)])
    except Exception:  # noqa: BLE001  its converters raise whatever an unknown architecture makes them
        logger.warning("CTranslate2 cannot take the model in %s: it answers by torch", folder, exc_info=True)
        shutil.rmtree(folder / FAST, ignore_errors=True)
        return None


def _name_missing(path: Path, token: str) -> None:
    """Writes a token where the configuration has none: CTranslate2 does not open one without, and never uses it."""
    values = read_json(path)
    write_json(
        path, {name: token if value is None and name.endswith("_token") else value for name, value in values.items()}
    )


def is_faster(plain: Language, fast: Language, splits: Splits, how: Writing) -> bool:
    """True when CTranslate2 writes the same texts in less time, on some validation rows."""
    rows = rows_of(splits, "validation")[0][:N_PROBED] or rows_of(splits, "train")[0][:N_PROBED]
    seconds, texts = [], []
    for engine in (plain, fast):
        engine.write(rows[:1], how, silent_hear)
        started = time.monotonic()
        texts.append([written.text for written in engine.write(rows, how, silent_hear)])
        seconds.append(time.monotonic() - started)
    return texts[0] == texts[1] and seconds[1] < seconds[0]


def _best_beams(engine: Language, splits: Splits, options: Options, how: Writing) -> Writing:
    """Greedy or four beams, by the metric on some validation rows."""
    rows, texts = rows_of(splits, "validation")
    rows, texts = rows[: N_PROBED * 8], texts[: N_PROBED * 8]
    if not rows:
        return how
    scores = {}
    for beams in (1, 4):
        tried = replace(how, beams=beams)
        written = [answer.text for answer in engine.write(rows, tried, silent_hear)]
        scores[beams] = TextMarks(written, [[text] for text in texts]).value(options.metric)
    return replace(how, beams=4 if scores[4] > scores[1] else 1)
