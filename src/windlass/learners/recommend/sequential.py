"""What comes next in a history, by self-attention over what somebody wanted before: torch learns, numpy serves.

Sources: Kang & McAuley 2018, ICDM, arXiv:1808.09781 (SASRec); a softmax over many items in place of pairs, which makes
it as good as later networks: Klenitskiy & Vasilev 2023, RecSys, arXiv:2309.07602. Shapes: B windows, T places, D
features, S items of a batch's softmax.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.networks.training import loop, probe
from windlass.learners.networks.training.steps import Settings
from windlass.learners.networks.training.task import Verdict, checksums
from windlass.learners.recommend import fitting
from windlass.learners.recommend.choosing import Exam, exam_of, mean_of
from windlass.learners.recommend.interactions import Interactions
from windlass.learners.recommend.lessons import Lesson
from windlass.metrics.recommendations import NDCG
from windlass.predictors.recommend.scorer import Scorer
from windlass.predictors.recommend.sequence import N_HEADS, Sequence
from windlass.records import Progress, Splits

WIDTH, N_BLOCKS, LONGEST, DROPOUT = 64, 2, 50, 0.4
N_DRAWN = 2_000
"""Items beside the right ones that a batch's softmax is over, where there are more."""
SETTINGS = Settings(lr=2e-3, batch=32, epochs=60, patience=6, weight_decay=0.1)
MOST_JUDGED = 200


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.query, self.key, self.value, self.joined = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4))
        self.first, self.second = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, states_BTD: torch.Tensor, may_see: torch.Tensor) -> torch.Tensor:
        """may_see: (B, 1, T, T) bool."""
        n_rows, length, _ = states_BTD.shape
        normed = self.before(states_BTD)
        query, key, value = (
            way(normed).view(n_rows, length, N_HEADS, -1).transpose(1, 2) for way in (self.query, self.key, self.value)
        )
        scores = (query @ key.transpose(2, 3) / (WIDTH / N_HEADS) ** 0.5).masked_fill(~may_see, -1e9)
        attended = (torch.softmax(scores, dim=3) @ value).transpose(1, 2).reshape(n_rows, length, WIDTH)
        states_BTD = states_BTD + self.dropout(self.joined(attended))
        inner = torch.relu(self.first(self.between(states_BTD)))
        return states_BTD + self.dropout(self.second(inner))


class SequenceNetwork(nn.Module):
    """(B, T) items, -1 where there is none, the latest last -> (B, T, D) states."""

    def __init__(self, n_items: int) -> None:
        super().__init__()
        self.items, self.bias = nn.Embedding(n_items, WIDTH), nn.Parameter(torch.zeros(n_items))
        self.positions = nn.Embedding(LONGEST, WIDTH)
        self.blocks, self.norm = nn.ModuleList(Block() for _ in range(N_BLOCKS)), nn.LayerNorm(WIDTH)
        self.dropout = nn.Dropout(DROPOUT)
        nn.init.normal_(self.items.weight, std=0.02)
        nn.init.normal_(self.positions.weight, std=0.02)

    def forward(self, items_BT: torch.Tensor) -> torch.Tensor:
        is_real, length = items_BT >= 0, items_BT.shape[1]
        states = self.items(items_BT.clamp(min=0)) * WIDTH**0.5 + self.positions.weight[-length:]
        earlier = torch.ones(length, length, dtype=torch.bool, device=items_BT.device).tril()
        may_see = (earlier & is_real[:, None, :])[:, None]
        states = self.dropout(states)
        for block in self.blocks:
            states = block(states, may_see)
        return self.norm(states)

    def served(self, is_known: np.ndarray) -> Sequence:
        """is_known: (n_items,) bool."""
        weights = {name: value.detach().cpu().float().numpy() for name, value in self.state_dict().items()}

        def stacked(name: str) -> np.ndarray:
            return np.stack([weights[f"blocks.{block}.{name}"] for block in range(N_BLOCKS)])

        norms = np.stack([
            np.stack([stacked(f"{name}.{part}") for part in ("weight", "bias")], axis=1)
            for name in ("before", "between")
        ], axis=1)  # fmt: skip
        return Sequence(
            weights["items.weight"], weights["bias"], is_known.astype(np.float32), weights["positions.weight"],
            stacked("query.weight"), stacked("key.weight"), stacked("value.weight"), stacked("joined.weight"),
            stacked("first.weight"), stacked("first.bias"), stacked("second.weight"), stacked("second.bias"), norms,
            np.stack([weights["norm.weight"], weights["norm.bias"]]),
        )  # fmt: skip


def windows(events: Interactions) -> np.ndarray:
    """(w, LONGEST + 1) int64 items that were wanted, -1 before the first: of each user the latest, and those before,
    which end where it begins."""
    rows = list(_windows(events))
    found = np.full((len(rows), LONGEST + 1), -1, np.int64)
    for place, each in enumerate(rows):
        found[place, -len(each) :] = each
    return found


def _windows(events: Interactions) -> Iterator[np.ndarray]:
    for user in range(events.n_users):
        part = events.history(user)
        items = events.items[part][events.weights[part] > 0]
        for end in range(len(items), 1, -LONGEST):
            yield items[max(0, end - LONGEST - 1) : end]


@dataclass(frozen=True)
class NextItems:
    """What the loop learns. rows: of `windows`; touched: items that are wanted somewhere."""

    rows: np.ndarray
    touched: np.ndarray
    is_known: np.ndarray
    exam: Exam
    metric: str = NDCG

    @property
    def lengths(self) -> np.ndarray:
        return np.asarray((self.rows >= 0).sum(axis=1))

    @property
    def n_validation(self) -> int:
        return len(self.exam)

    def identity(self) -> list[Any]:
        return checksums([self.rows, self.touched])

    def loss(self, model: nn.Module, rows: np.ndarray, smoothing: float) -> torch.Tensor:
        """The mean logarithmic loss of each next item among those of the batch and drawn ones."""
        longest = max(2, int(self.lengths[rows].max(initial=0)))
        window_BT = torch.from_numpy(self.rows[rows][:, -longest:]).to(probe.device())
        given_BT, next_BT = window_BT[:, :-1], window_BT[:, 1:]
        is_asked = given_BT >= 0
        states_ND, right_N = model(given_BT)[is_asked], next_BT[is_asked]
        drawn_S = torch.from_numpy(self.touched)
        if len(drawn_S) > N_DRAWN:
            drawn_S = drawn_S[torch.randperm(len(drawn_S))[:N_DRAWN]]
        drawn_S = drawn_S.to(probe.device())
        items: Any = model.items
        bias: Any = model.bias
        logits_NS = states_ND @ items(drawn_S).T + bias[drawn_S]
        logits_NS = logits_NS + float(np.log(len(self.touched) / len(drawn_S)))  # they stand for all
        logits_NS = logits_NS.masked_fill(drawn_S == right_N[:, None], -1e9)
        right = (states_ND * items(right_N)).sum(dim=1) + bias[right_N]
        return (torch.logsumexp(torch.cat([right[:, None], logits_NS], dim=1), dim=1) - right).mean()

    def judge(self, model: nn.Module, batch: int, precision: str) -> Verdict:
        assert isinstance(model, SequenceNetwork)
        return Verdict(mean_of(model.served(self.is_known), self.exam))


def sequential(options: Options, progress: Progress, settings: Settings = SETTINGS) -> fitting.Make:
    """How long it learns is told by validation rows; then all events are learned from for as long."""
    chosen = [settings]

    def make(lesson: Lesson, left: Budget) -> Scorer:
        events = lesson.interactions
        wanted = np.bincount(events.items[events.weights > 0], minlength=events.n_items)
        exam = exam_of(lesson, MOST_JUDGED)
        task = NextItems(windows(events), np.flatnonzero(wanted), wanted > 0, exam)
        torch.manual_seed(options.seed)
        network = SequenceNetwork(events.n_items)
        if len(task.rows):
            here = replace(options, folder=options.folder / ("last" if lesson.is_last else "first"))
            here.folder.mkdir(parents=True, exist_ok=True)
            curve = loop.train(network, task, chosen[0], here, left, progress)
            loop.clean(here)
            here.folder.rmdir()
            if len(exam) and curve:
                best = max(curve, key=lambda each: each["score"] if each["score"] is not None else -1.0)
                chosen[0] = replace(settings, epochs=max(1, round(best["epoch"])))
        return network.served(task.is_known)

    return make


def fit_sasrec(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Self-attention over the latest items."""
    return fitting.fit("sasrec", sequential(options, progress), splits, options, budget, progress)
