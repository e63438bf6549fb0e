"""Networks that point at the answer in a text, and what they learn from.

A small one reads words and their traits both ways; a pretrained encoder, where there is one, reads beside it.
Source: DrQA, Chen et al. 2017, arXiv:1704.00051; all right places counted together: Clark & Gardner 2018,
        arXiv:1710.10723; the encoder with question and text side by side: Devlin et al. 2019, arXiv:1810.04805.
Shapes: B rows, T words of the text, Q words of the question, P pieces, F traits, D features.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from windlass.learners.networks.batches import by_length
from windlass.learners.networks.training import probe
from windlass.learners.networks.training.task import Verdict, checksums, in_precision
from windlass.metrics.texts import References, TextMarks
from windlass.predictors.language.reading import FIRST, N_TRAITS, PAD, SCALE, UNKNOWN, Reading
from windlass.predictors.retrieval.span import SpanEncoder, best_span

EMBEDDING, ASKED, HIDDEN, MIXED = 48, 48, 64, 64
DROPOUT, HIDE = 0.3, 0.15
IMPOSSIBLE = -1e4


class BidirectionalGRU(nn.Module):
    """(B, T, D) -> (B, T, 2 hidden): a gated recurrent network forwards and one backwards.

    Each reads only real words, so that padding changes nothing. Source: Cho et al. 2014, arXiv:1406.1078.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.forwards = nn.GRU(width, hidden, batch_first=True)
        self.backwards = nn.GRU(width, hidden, batch_first=True)

    def forward(self, words_BTD: torch.Tensor, real_BT: torch.Tensor) -> torch.Tensor:
        place_BT = torch.ones_like(real_BT, dtype=torch.int64).cumsum(dim=1) - 1
        n_real_B1 = real_BT.sum(dim=1, keepdim=True)
        turned_BT1 = torch.where(place_BT < n_real_B1, n_real_B1 - 1 - place_BT, place_BT).unsqueeze(-1)
        back_BTD = self.backwards(words_BTD.gather(1, turned_BT1.expand(-1, -1, words_BTD.shape[2])))[0]
        back_BTD = back_BTD.gather(1, turned_BT1.expand(-1, -1, back_BTD.shape[2]))
        return torch.cat([self.forwards(words_BTD)[0], back_BTD], dim=2)


class Reader(nn.Module):
    """Words (B, T), traits (B, T, F) and question (B, Q) -> logits (B, 2, T) of the answer's start and end."""

    def __init__(self, n_words: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(FIRST + n_words, EMBEDDING, padding_idx=PAD)
        nn.init.normal_(self.embedding.weight, std=0.3)
        self.asked = BidirectionalGRU(EMBEDDING, ASKED)
        self.weigh = nn.Linear(2 * ASKED, 1)
        self.traits = nn.Linear(N_TRAITS, MIXED)
        self.gate = nn.Linear(2 * ASKED, EMBEDDING + MIXED)
        self.read = BidirectionalGRU(EMBEDDING + MIXED, HIDDEN)
        self.dropout = nn.Dropout(DROPOUT)
        self.seen, self.wanted = nn.Linear(2 * HIDDEN + N_TRAITS, MIXED), nn.Linear(2 * ASKED, MIXED)
        self.point = nn.Linear(MIXED, 2)
        self.match = nn.Linear(2 * ASKED, 2 * 2 * HIDDEN)

    def forward(self, words_BT: torch.Tensor, traits_BTF: torch.Tensor, question_BQ: torch.Tensor) -> torch.Tensor:
        real_BQ, real_BT = question_BQ != PAD, words_BT != PAD
        asked_BQD = self.asked(self._embedded(question_BQ), real_BQ)
        weight_BQ = self.weigh(asked_BQD).squeeze(-1).masked_fill(~real_BQ, IMPOSSIBLE).softmax(dim=1)
        asked_BD = (weight_BQ.unsqueeze(-1) * asked_BQD).sum(dim=1)
        traits_BTF = traits_BTF.to(asked_BD.dtype) / SCALE
        words_BTD = torch.cat([self._embedded(words_BT), functional.relu(self.traits(traits_BTF))], dim=2)
        gate_B1D = 1 + torch.tanh(self.gate(asked_BD)).unsqueeze(1)
        states_BTD = self.dropout(self.read(words_BTD * gate_B1D, real_BT))
        seen_BTD = self.seen(torch.cat([states_BTD, traits_BTF], dim=2)) + self.wanted(asked_BD).unsqueeze(1)
        match_BD2 = self.match(asked_BD).reshape(-1, 2 * HIDDEN, 2) / HIDDEN**0.5
        return (self.point(functional.relu(seen_BTD)) + states_BTD @ match_BD2).transpose(1, 2)

    def _embedded(self, words_BT: torch.Tensor) -> torch.Tensor:
        """In training some words are hidden, so that it learns to do without them."""
        if self.training:
            hidden_BT = (torch.rand(words_BT.shape, device=words_BT.device) < HIDE) & (words_BT != PAD)
            words_BT = words_BT.masked_fill(hidden_BT, UNKNOWN)
        return self.dropout(self.embedding(words_BT))


class Head(nn.Module):
    """States (B, T, D) of an encoder and traits (B, T, F) -> logits (B, T, 2); all zero before it has learned."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.traits = nn.Linear(N_TRAITS, MIXED)
        self.read = BidirectionalGRU(width + MIXED, HIDDEN)
        self.point = nn.Linear(2 * HIDDEN, 2)
        nn.init.zeros_(self.point.weight)
        nn.init.zeros_(self.point.bias)

    def forward(self, states_BTD: torch.Tensor, traits_BTF: torch.Tensor, real_BT: torch.Tensor) -> torch.Tensor:
        traits_BTD = functional.relu(self.traits(traits_BTF.to(states_BTD.dtype) / SCALE))
        return self.point(self.read(torch.cat([states_BTD, traits_BTD], dim=2), real_BT))


class SummedLogits(nn.Module):
    """A reader and a pretrained encoder: the logits of both added. Pieces (B, P) and places (B, T) come last."""

    def __init__(self, reader: Reader, backbone: nn.Module, width: int, pad: int) -> None:
        super().__init__()
        self.reader, self.backbone, self.pad = reader, backbone, pad
        self.head = Head(width)
        self.dropout = nn.Dropout(0.1)

    def forward(
        self,
        words_BT: torch.Tensor,
        traits_BTF: torch.Tensor,
        question_BQ: torch.Tensor,
        pieces_BP: torch.Tensor,
        places_BT: torch.Tensor,
    ) -> torch.Tensor:
        real_BP = (pieces_BP != self.pad).long()
        states_BPD = self.backbone(input_ids=pieces_BP, attention_mask=real_BP).last_hidden_state
        states_BTD = states_BPD.gather(1, places_BT.unsqueeze(-1).expand(-1, -1, states_BPD.shape[2]))
        seen_BT2 = self.head(self.dropout(states_BTD), traits_BTF, words_BT != PAD)
        return self.reader(words_BT, traits_BTF, question_BQ) + seen_BT2.transpose(1, 2)


@dataclass(frozen=True)
class Pages:
    """Readings, in each of them the right places (first and last word), and the right answers."""

    readings: Sequence[Reading]
    places: Sequence[Sequence[tuple[int, int]]]
    answers: Sequence[References]

    def __len__(self) -> int:
        return len(self.readings)

    def select(self, rows: Sequence[int]) -> "Pages":
        return Pages(
            [self.readings[row] for row in rows],
            [self.places[row] for row in rows],
            [self.answers[row] for row in rows],
        )

    @cached_property
    def lengths(self) -> np.ndarray:
        return np.array([len(reading.words) for reading in self.readings], np.int64)


@dataclass(frozen=True)
class SpanTask:
    """The task of the gradient loop: start and end of the answer, any of its right places."""

    train: Pages
    validation: Pages
    eyes: SpanEncoder
    longest: int
    metric: str

    @property
    def lengths(self) -> np.ndarray:
        return self.train.lengths

    @property
    def n_validation(self) -> int:
        return len(self.validation)

    def identity(self) -> list[Any]:
        traits = [reading.traits for pages in (self.train, self.validation) for reading in pages.readings]
        return [checksums([np.concatenate(traits)]), [list(map(list, places)) for places in self.train.places]]

    def loss(self, model: nn.Module, rows: np.ndarray, smoothing: float) -> torch.Tensor:
        return self._loss(self._logits(model, self.train, rows), self.train, rows)

    def judge(self, model: nn.Module, batch: int, precision: str) -> Verdict:
        logits = self.logits(model, batch, precision)
        found = [
            reading.text(*best_span(logits_2T, reading.numbers, self.longest)[:2]) if len(reading.words) else ""
            for reading, logits_2T in zip(self.validation.readings, logits, strict=True)
        ]
        return Verdict(TextMarks(found, self.validation.answers).value(self.metric))

    def logits(self, model: nn.Module, batch: int, precision: str = "float32") -> list[np.ndarray]:
        """(2, words) of each validation row."""
        found: list[np.ndarray] = [np.zeros((2, 0))] * len(self.validation)
        with torch.inference_mode():
            for rows in by_length(self.validation.lengths, batch):
                with in_precision(precision):
                    logits_B2T = self._logits(model, self.validation, rows).float().cpu().numpy()
                for row, logits_2T in zip(rows, logits_B2T, strict=True):
                    found[row] = logits_2T[:, : self.validation.lengths[row]]
        return found

    def _logits(self, model: nn.Module, pages: Pages, rows: np.ndarray) -> torch.Tensor:
        arrays = self.eyes.arrays([pages.readings[row] for row in rows])
        return model(*(torch.from_numpy(array).to(probe.device()) for array in arrays))

    def _loss(self, logits_B2T: torch.Tensor, pages: Pages, rows: np.ndarray) -> torch.Tensor:
        """-log of what the right starts have together, and the same of the ends: their sum, mean over rows."""
        is_real, is_right = (np.zeros(logits_B2T.shape, bool) for _ in range(2))
        for number, row in enumerate(rows):
            is_real[number, :, : pages.lengths[row]] = True
            for side, words in enumerate(zip(*pages.places[row], strict=True)):
                is_right[number, side, list(words)] = True
        real, right = (torch.from_numpy(mask).to(logits_B2T.device) for mask in (is_real, is_right))
        shares_B2T = logits_B2T.float().masked_fill(~real, IMPOSSIBLE).log_softmax(dim=2)
        return -shares_B2T.masked_fill(~right, IMPOSSIBLE).logsumexp(dim=2).sum(dim=1).mean()
