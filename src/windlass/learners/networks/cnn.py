"""Convolutions over words, pixels or the points of a series.

Source: text: Kim 2014, arXiv:1408.5882. Pictures, preset 'default': convolution, batch normalisation (Ioffe & Szegedy
2015, arXiv:1502.03167) and global average pooling (Lin et al. 2013, arXiv:1312.4400).
Series: Wang et al. 2017, arXiv:1611.06455 (fully convolutional).
Shapes: B rows, T tokens or points, C channels, H height, W width, D features.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.networks.network import Design, Features, fit_network, preset
from windlass.learners.networks.training.steps import Settings
from windlass.records import Json, Progress, Splits


@dataclass(frozen=True)
class TextSettings:
    """Sizes of the text encoder."""

    embedding: int = 128
    channels: int = 100
    widths: tuple[int, ...] = (3, 4, 5)
    dropout: float = 0.4


class TextConvolution(Features):
    """Ids (B, T) -> the strongest answer of each filter to any window of words, (B, channels * widths)."""

    def __init__(self, state: Json, settings: TextSettings) -> None:
        super().__init__()
        self.pad = state["pad"]
        self.width = settings.channels * len(settings.widths)
        self.embedding = nn.Embedding(len(state["tokens"]) + 2, settings.embedding, padding_idx=self.pad)
        nn.init.uniform_(self.embedding.weight, -0.25, 0.25)  # as in the paper; pads are masked below
        self.dropout = nn.Dropout(settings.dropout)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(settings.embedding, settings.channels, width) for width in settings.widths
        )

    def forward(self, tokens_BT: torch.Tensor) -> torch.Tensor:
        real_B1T = (tokens_BT != self.pad).unsqueeze(1)
        words_BDT = self.dropout(self.embedding(tokens_BT)).transpose(1, 2) * real_B1T
        return torch.cat([self._strongest(layer, words_BDT, real_B1T) for layer in self.convolutions], dim=1)

    @staticmethod
    def _strongest(layer: nn.Module, words_BDT: torch.Tensor, real_B1T: torch.Tensor) -> torch.Tensor:
        """Windows begin at real words only and end in zeros, so that padding changes nothing."""
        filled = functional.pad(words_BDT, (0, layer.kernel_size[0] - 1))  # type: ignore[index, arg-type]
        return (functional.relu(layer(filled)) * real_B1T).amax(dim=2)


class Shifted(nn.Module):
    """Pictures (B, C, H, W), in training each a little turned, moved and scaled; never mirrored, as digits are not."""

    def __init__(self, degrees: float = 10.0, move: float = 0.08, scale: float = 0.1) -> None:
        super().__init__()
        self.angle, self.move, self.scale = math.radians(degrees), move, scale

    def forward(self, pixels_BCHW: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return pixels_BCHW
        n_rows = len(pixels_BCHW)
        chance_4B = torch.rand(4, n_rows, device=pixels_BCHW.device) * 2 - 1
        angle_B, size_B = chance_4B[0] * self.angle, 1 + chance_4B[1] * self.scale
        across_B, down_B = chance_4B[2] * 2 * self.move, chance_4B[3] * 2 * self.move
        first_B3 = torch.stack([size_B * angle_B.cos(), -size_B * angle_B.sin(), across_B], dim=1)
        second_B3 = torch.stack([size_B * angle_B.sin(), size_B * angle_B.cos(), down_B], dim=1)
        grid_BHW2 = functional.affine_grid(
            torch.stack([first_B3, second_B3], dim=1), list(pixels_BCHW.shape), align_corners=False
        )
        return functional.grid_sample(pixels_BCHW, grid_BHW2, padding_mode="border", align_corners=False)


class PictureConvolution(Features):
    """Pictures (B, C, H, W) -> (B, width): five convolutions, the side halved twice, mean and maximum over places."""

    def __init__(self, state: Json, channels: Sequence[int] = (16, 16, 32, 32, 64)) -> None:
        super().__init__()
        self.width = 2 * channels[-1]
        stages: list[nn.Module] = [Shifted()]
        for place, (before, after) in enumerate(pairwise([state["channels"], *channels])):
            stages += [nn.MaxPool2d(2)] if place in (2, 4) else []
            stages += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.stages = nn.Sequential(*stages)

    def forward(self, pixels_BCHW: torch.Tensor) -> torch.Tensor:
        places_BCHW = self.stages(pixels_BCHW)
        return torch.cat([places_BCHW.mean(dim=(2, 3)), places_BCHW.amax(dim=(2, 3))], dim=1)


class EssayConvolution(Features):
    """Pictures (B, C, H, W) -> (B, 32 h w): one layer of 32 filters of 3 x 3, the largest of each 2 x 2, flattened."""

    def __init__(self, state: Json) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(state["channels"], 32, 3)
        self.pool = nn.MaxPool2d(2)
        self.width = 32 * ((state["size"] - 2) // 2) ** 2

    def forward(self, pixels_BCHW: torch.Tensor) -> torch.Tensor:
        return self.pool(functional.relu(self.convolution(pixels_BCHW))).flatten(1)


class SeriesConvolution(Features):
    """Points (B, T, C) -> (B, width): two convolutions, then mean and maximum over all points and over the latest
    quarter, since what ends now counts most."""

    def __init__(self, state: Json, channels: int = 32) -> None:
        super().__init__()
        self.latest = max(1, state["length"] // 4)
        self.width = 4 * channels
        self.stages = nn.Sequential(
            nn.Conv1d(len(state["channels"]), channels, 5, padding=2, bias=False),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
            nn.Conv1d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
        )

    def forward(self, points_BTC: torch.Tensor) -> torch.Tensor:
        places_BCT = self.stages(points_BTC.transpose(1, 2))
        latest_BCT = places_BCT[:, :, -self.latest :]
        parts = [pooled for each in (places_BCT, latest_BCT) for pooled in (each.mean(dim=2), each.amax(dim=2))]
        return torch.cat(parts, dim=1)


DEFAULT = Design(
    learner="cnn",
    settings=Settings(lr=2e-3, batch=64, epochs=20, patience=4, weight_decay=0.02, smoothing=0.05),
    text=lambda state: TextConvolution(state, TextSettings()),
    image=PictureConvolution,
    series=SeriesConvolution,
    dropout=0.3,
    described={"preset": "default"},
)
PRESETS = {
    "default": DEFAULT,
    "essay": replace(
        DEFAULT,
        image=EssayConvolution,
        dropout=0.0,
        described={"preset": "essay"},
        settings=Settings(lr=1e-3, batch=32, epochs=10, patience=3, weight_decay=0.0),
    ),
}


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """A convolutional network; `options.variant` names the preset."""
    return fit_network(preset("cnn", options.variant, PRESETS), splits, options, budget, progress)
