"""A decoder from scratch: it learns to continue text, or to answer after a prompt.

Source: GPT-2, Radford et al. 2019; rotary positions, Su et al. 2021, arXiv:2104.09864; gated units, Shazeer 2020,
        arXiv:2002.05202; the architectures are those of transformers (LlamaForCausalLM, GPT2LMHeadModel).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from windlass.errors import NotReady, SpecError, did_you_mean, expected
from windlass.kinds import table as kinds
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.language import language, tokens
from windlass.learners.language.written import only_asks
from windlass.learners.networks.training import loop
from windlass.learners.networks.training.steps import Settings
from windlass.learners.networks.training.task import Task
from windlass.predictors.language.engine import MODEL
from windlass.predictors.language.prompts import Prompts
from windlass.records import Progress, Splits


@dataclass(frozen=True)
class Shape:
    """How large a decoder is, and how its tokens are made.

    length: tokens that it sees at once; block: of those, as many when it continues plain text, where more steps teach
    more than longer ones. tokens: of the BPE, for each
    root of the number of characters in the texts.
    """

    width: int = 192
    layers: int = 6
    heads: int = 6
    length: int = 256
    block: int = 128
    tokens: float = 1.0
    family: str = "llama"
    dropout: float = 0.1


PRESETS = {
    "default": Shape(),
    "small": Shape(width=128, layers=4, heads=4),
    "large": Shape(width=384, layers=6, heads=6),
    "gpt2": Shape(width=768, layers=12, heads=12, length=1_024, block=1_024, family="gpt2", tokens=5.0),
}
SETTINGS = Settings(lr=2e-3, batch=8, epochs=60, patience=5, warmup=0.05, weight_decay=0.1, checkpoint_seconds=30.0)


def build(shape: Shape, n_tokens: int, end: int) -> Any:
    """The model of a shape, its weights random."""
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    ends: dict[str, Any] = {"bos_token_id": end, "eos_token_id": end, "pad_token_id": 0}
    if shape.family == "gpt2":
        return GPT2LMHeadModel(
            GPT2Config(
                vocab_size=n_tokens,
                n_positions=shape.length,
                n_embd=shape.width,
                n_layer=shape.layers,
                n_head=shape.heads,
                resid_pdrop=shape.dropout,
                embd_pdrop=shape.dropout,
                attn_pdrop=0.0,
                **ends,
            )
        )
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=n_tokens,
            hidden_size=shape.width,
            intermediate_size=round(shape.width * 8 / 3 / 32) * 32,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            max_position_embeddings=shape.length,
            tie_word_embeddings=True,
            **ends,
        )
    )


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Trains as `train`, and writes the artifact."""
    return language.deliver(train(splits, options, budget, progress), splits, options)


@dataclass(frozen=True)
class Recipe:
    """Shapes by the names that a specification gives them, and how they are trained."""

    presets: Mapping[str, Shape] = field(default_factory=lambda: PRESETS)
    settings: Settings = SETTINGS


def train(
    splits: Splits, options: Options, budget: Budget, progress: Progress, recipe: Recipe | None = None
) -> language.Trained:
    """Trains on the texts alone when nothing is asked, else on the answers after their prompts.

    `options.variant` is a preset. Raises: SpecError: not one of them.
    """
    name = options.variant or "default"
    recipe = recipe or Recipe()
    presets = recipe.presets
    if name not in presets:
        raise SpecError(f"preset of 'gpt' is '{name}', expected {expected(presets)}", did_you_mean(name, presets))
    shape = presets[name]
    torch.manual_seed(options.seed)
    rows, texts = language.rows_of(splits, "train")
    shown, truth = language.rows_of(splits, "validation")
    asked = [" ".join(str(value) for value in row.values()).strip() for row in rows]
    is_chat = kinds.has_turns(splits.inputs)
    continues = not any(asked)
    if reason := only_asks(splits, options.variant):
        raise NotReady(reason)
    shape = replace(shape, length=shape.block) if continues else shape
    progress("train", 0, 0, "making tokens")
    tokenizer = tokens.train([*asked, *texts], tokens.vocabulary(tokens.n_characters([*asked, *texts]), shape.tokens))
    template = tokens.template(tokenizer, shape.length // 2, is_chat, is_pair=False)
    template = replace(template, answer=[]) if continues else template  # no text of a stream begins after that token
    prompts = Prompts(tokenizer, template, language.columns_of(splits))
    most = 10**9 if continues else shape.length // 2
    train, validation = (language.encode(prompts, *part, most) for part in ((rows, texts), (shown, truth)))
    task: Task
    if continues:
        streams = [language.stream_of(part.written) for part in (train, validation)]
        task = language.ContinuationTask(streams[0], streams[1], shape.length)
    else:
        task = language.AnswerTask(train, validation, is_pair=False)
    model = build(shape, tokenizer.get_vocab_size(), template.end[0])
    curve = loop.train(model, task, recipe.settings, options, budget, progress)
    tokens.save(tokenizer, options.artifact / MODEL)
    settings = {
        "shape": asdict(shape),
        "training": asdict(recipe.settings),
        "tokens": tokenizer.get_vocab_size(),
        "continues": continues,
    }
    return language.Trained("gpt", model, prompts, curve, settings, [] if continues else train.written)
