"""An encoder that reads and a decoder that writes: from scratch, or a pretrained one by name or path.

Source: Transformer, Vaswani et al. 2017, arXiv:1706.03762, normalised before each layer (Xiong et al. 2020,
        arXiv:2002.04745); the architecture is transformers' Pegasus (Zhang et al. 2020, arXiv:1912.08777).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from windlass.errors import NotReady, SpecError, did_you_mean, expected
from windlass.kinds import table as kinds
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.language import encoder_decoder, language, tokens
from windlass.learners.language.written import asks_nothing
from windlass.learners.networks.training import loop
from windlass.learners.networks.training.steps import Settings
from windlass.predictors.language.engine import MODEL
from windlass.predictors.language.prompts import Prompts
from windlass.records import Progress, Splits


@dataclass(frozen=True)
class Shape:
    """How large it is. tokens: of the BPE that both sides share, for each root of the number of characters."""

    width: int = 192
    layers: int = 3
    heads: int = 4
    hidden: int = 768
    length: int = 512
    tokens: float = 2.5
    dropout: float = 0.1


PRESETS = {
    "default": Shape(),
    "small": Shape(width=128, layers=2, heads=4, hidden=512),
    "large": Shape(width=384, layers=4, heads=6, hidden=1_024, tokens=3.5, dropout=0.2),
}
START = tokens.CONTROL.index(tokens.PAD)
"""The token that an answer begins after: padding, as Pegasus and CTranslate2's converter of it have it."""
FEW = 20_000
"""Rows up to which a small network and smaller batches, and so more steps, teach more."""
SETTINGS = Settings(
    lr=2e-3,
    batch=64,
    epochs=40,
    patience=5,
    warmup=0.08,
    weight_decay=0.01,
    smoothing=0.1,
    average=0.995,
    checkpoint_seconds=30.0,
)


def build(shape: Shape, n_tokens: int, end: int) -> Any:
    """The model of a shape, its weights random: normalised before each layer, sine positions, one table of tokens for
    both sides. An answer begins after the token of padding.

    Normalised before the layers, with the rate and the start of the paper that showed why, it reads what is asked after
    some hundred steps; normalised after them, as Marian is, it had not after 730 (docs/log.md).
    """
    from transformers import PegasusConfig, PegasusForConditionalGeneration

    layers: Any = {
        f"{side}_{name}": value
        for side in ("encoder", "decoder")
        for name, value in (("layers", shape.layers), ("attention_heads", shape.heads), ("ffn_dim", shape.hidden))
    }
    converted: Any = {"normalize_before": True, "normalize_embedding": False}  # as CTranslate2's converter asks
    model = PegasusForConditionalGeneration(
        PegasusConfig(
            vocab_size=n_tokens,
            d_model=shape.width,
            dropout=shape.dropout,
            max_position_embeddings=shape.length,
            activation_function="relu",
            scale_embedding=True,
            eos_token_id=end,
            forced_eos_token_id=None,
            pad_token_id=START,
            decoder_start_token_id=START,
            **layers,
            **converted,
        )
    )
    for name, weight in model.named_parameters():
        if name.startswith("model.shared"):
            nn.init.normal_(weight, std=shape.width**-0.5)
        elif weight.ndim > 1 and weight.requires_grad:  # positions stay sines
            nn.init.xavier_uniform_(weight)
    return model


@dataclass(frozen=True)
class Recipe:
    """Shapes by the names that a specification gives them, how they are trained, and how others are fine-tuned."""

    presets: Mapping[str, Shape] = field(default_factory=lambda: PRESETS)
    settings: Settings = SETTINGS
    tuning: encoder_decoder.Recipe = field(default_factory=encoder_decoder.Recipe)


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Trains as `train`, and writes the artifact."""
    return language.deliver(train(splits, options, budget, progress), splits, options)


def train(
    splits: Splits, options: Options, budget: Budget, progress: Progress, recipe: Recipe | None = None
) -> language.Trained:
    """`options.variant` is a preset (none: by the number of rows), or the path or hub name of a pretrained model.

    Raises: SpecError: it is neither. NotReady: nothing is asked.
    """
    recipe = recipe or Recipe()
    presets = recipe.presets
    rows, texts = language.rows_of(splits, "train")
    asked = [" ".join(str(value) for value in row.values()) for row in rows]
    if reason := asks_nothing(splits, options.variant):
        raise NotReady(reason)
    name = options.variant or ("small" if len(rows) <= FEW else "default")
    if name not in presets:
        if not Path(name).is_dir() and "/" not in name:
            raise SpecError(
                f"preset of 'seq2seq' is '{name}', expected {expected(presets)}, or the folder or hub name "
                "of an encoder-decoder",
                did_you_mean(name, presets),
            )
        return encoder_decoder.train(splits, options, budget, progress, recipe.tuning)
    shape = presets[name]
    torch.manual_seed(options.seed)
    shown, truth = language.rows_of(splits, "validation")
    progress("train", 0, 0, "making tokens")
    tokenizer = tokens.train([*asked, *texts], tokens.vocabulary(tokens.n_characters([*asked, *texts]), shape.tokens))
    template = tokens.template(tokenizer, shape.length, kinds.has_turns(splits.inputs), is_pair=True)
    prompts = Prompts(tokenizer, template, language.columns_of(splits))
    train, validation = (language.encode(prompts, *part, shape.length) for part in ((rows, texts), (shown, truth)))
    task = language.AnswerTask(train, validation, is_pair=True, start=START)
    settings = replace(recipe.settings, batch=recipe.settings.batch // (1 if len(train) > FEW else 2))
    model = build(shape, tokenizer.get_vocab_size(), template.end[0])
    curve = loop.train(model, task, settings, options, budget, progress)
    tokens.save(tokenizer, options.artifact / MODEL)
    told = {"shape": asdict(shape), "training": asdict(settings), "tokens": tokenizer.get_vocab_size()}
    return language.Trained("seq2seq", model, prompts, curve, told, train.written)
