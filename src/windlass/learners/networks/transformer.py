"""Self-attention over words, from scratch.

Source: Vaswani et al. 2017, Attention is all you need, arXiv:1706.03762; normalisation before each layer: Xiong et al.
2020, arXiv:2002.04745.
Shapes: B rows, T tokens, N heads, H width of a head, D width of the model (N * H), F width of the feed-forward layer.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.networks.network import Design, Features, fit_network, preset
from windlass.learners.networks.training.steps import Settings
from windlass.records import Json, Progress, Splits


@dataclass(frozen=True)
class Sizes:
    """Sizes of a transformer. norm_first: normalise before each layer (steadier), else after it, as in the paper."""

    d_model: int = 128
    n_heads: int = 4
    d_ff: int = 256
    n_layers: int = 2
    n_tokens: int = 20_000
    length: int = 128
    dropout: float = 0.2
    norm_first: bool = True


def attention(
    queries_BNTH: torch.Tensor, keys_BNTH: torch.Tensor, values_BNTH: torch.Tensor, real_BT: torch.Tensor
) -> torch.Tensor:
    """Scaled dot-product attention (B, N, T, H): softmax(Q K^T / sqrt(H)) V, without weight on padding (eq. 1)."""
    scores_BNTT = queries_BNTH @ keys_BNTH.transpose(2, 3) / math.sqrt(queries_BNTH.shape[-1])
    masked_BNTT = scores_BNTT.masked_fill(~real_BT[:, None, None, :], torch.finfo(scores_BNTT.dtype).min)
    return masked_BNTT.softmax(dim=-1) @ values_BNTH


class MultiHeadAttention(nn.Module):
    """Attention in several subspaces at once (section 3.2.2)."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.queries = nn.Linear(d_model, d_model)
        self.keys = nn.Linear(d_model, d_model)
        self.values = nn.Linear(d_model, d_model)
        self.output = nn.Linear(d_model, d_model)

    def forward(self, states_BTD: torch.Tensor, real_BT: torch.Tensor) -> torch.Tensor:
        parts = [self._split(layer(states_BTD)) for layer in (self.queries, self.keys, self.values)]
        mixed_BNTH = attention(parts[0], parts[1], parts[2], real_BT)
        return self.output(mixed_BNTH.transpose(1, 2).flatten(2))

    def _split(self, states_BTD: torch.Tensor) -> torch.Tensor:
        return states_BTD.unflatten(2, (self.n_heads, -1)).transpose(1, 2)


class Block(nn.Module):
    """Attention, then a feed-forward layer, each added to what it read."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.norm_first = sizes.norm_first
        self.attention = MultiHeadAttention(sizes.d_model, sizes.n_heads)
        self.feed_forward = nn.Sequential(
            nn.Linear(sizes.d_model, sizes.d_ff), nn.ReLU(), nn.Linear(sizes.d_ff, sizes.d_model)
        )
        self.first_norm = nn.LayerNorm(sizes.d_model)
        self.second_norm = nn.LayerNorm(sizes.d_model)
        self.dropout = nn.Dropout(sizes.dropout)

    def forward(self, states_BTD: torch.Tensor, real_BT: torch.Tensor) -> torch.Tensor:
        if self.norm_first:
            states_BTD = states_BTD + self.dropout(self.attention(self.first_norm(states_BTD), real_BT))
            return states_BTD + self.dropout(self.feed_forward(self.second_norm(states_BTD)))
        states_BTD = self.first_norm(states_BTD + self.dropout(self.attention(states_BTD, real_BT)))
        return self.second_norm(states_BTD + self.dropout(self.feed_forward(states_BTD)))


class Transformer(Features):
    """Ids (B, T) -> (B, D): the mean over real words of what the last block gives."""

    def __init__(self, state: Json, sizes: Sizes) -> None:
        super().__init__()
        self.pad, self.width = state["pad"], sizes.d_model
        self.embedding = nn.Embedding(len(state["tokens"]) + 2, sizes.d_model, padding_idx=self.pad)
        nn.init.normal_(self.embedding.weight, std=sizes.d_model**-0.5)
        self.scale = math.sqrt(sizes.d_model)
        self.places_TD: torch.Tensor
        self.register_buffer("places_TD", sinusoids(state["length"], sizes.d_model), persistent=False)
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.n_layers))
        self.norm = nn.LayerNorm(sizes.d_model) if sizes.norm_first else nn.Identity()
        self.dropout = nn.Dropout(sizes.dropout)

    def forward(self, tokens_BT: torch.Tensor) -> torch.Tensor:
        real_BT = tokens_BT != self.pad
        place_BT = torch.ones_like(tokens_BT).cumsum(dim=1) - 1
        places_BTD = functional.embedding(place_BT.clamp(max=len(self.places_TD) - 1), self.places_TD)
        states_BTD = self.dropout(self.embedding(tokens_BT) * self.scale + places_BTD)
        for block in self.blocks:
            states_BTD = block(states_BTD, real_BT)
        real_BT1 = real_BT.unsqueeze(-1)
        return (self.norm(states_BTD) * real_BT1).sum(dim=1) / real_BT1.sum(dim=1).clamp(min=1)


def sinusoids(length: int, width: int) -> torch.Tensor:
    """Where each token stands, (length, width): sines and cosines of falling frequency (section 3.5)."""
    place_T1 = torch.arange(length, dtype=torch.float32).unsqueeze(1)
    rate_D = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-math.log(10_000.0) / width))
    return torch.stack([(place_T1 * rate_D).sin(), (place_T1 * rate_D).cos()], dim=2).flatten(1)[:, :width]


def _design(name: str, sizes: Sizes, settings: Settings) -> Design:
    return Design(
        learner="transformer",
        settings=settings,
        text=lambda state: Transformer(state, sizes),
        dropout=sizes.dropout,
        text_options={"n_tokens": sizes.n_tokens, "length": sizes.length},
        described={"preset": name},
    )


PRESETS = {
    "default": _design(
        "default", Sizes(), Settings(lr=1e-3, batch=64, epochs=15, patience=3, weight_decay=0.05, smoothing=0.05)
    ),
    "essay": _design(
        "essay",
        Sizes(d_model=512, n_heads=8, d_ff=512, n_layers=1, n_tokens=10_000, length=32, dropout=0.1, norm_first=False),
        Settings(lr=5e-4, batch=64, epochs=10, patience=3),
    ),
}


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """A transformer; `options.variant` names the preset."""
    return fit_network(preset("transformer", options.variant, PRESETS), splits, options, budget, progress)
