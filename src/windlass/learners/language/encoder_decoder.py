"""A pretrained encoder-decoder (T5, Marian, BART and their kin), fine-tuned on the answers.

Source: T5, Raffel et al. 2020, arXiv:1910.10683; BART, Lewis et al. 2019, arXiv:1910.13461; Marian, Junczys-Dowmunt et
        al. 2018, arXiv:1804.00344; the architectures are those of transformers.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch

from windlass.errors import NotReady
from windlass.kinds import table as kinds
from windlass.kinds.chat import ROLES
from windlass.learners.contract import Budget, Options
from windlass.learners.language import hub, language
from windlass.learners.networks.training import loop
from windlass.learners.networks.training.steps import Settings
from windlass.predictors.language.decoding import banned
from windlass.predictors.language.engine import MODEL
from windlass.predictors.language.prompts import Ids, Prompts, Template
from windlass.records import Progress, Splits

LENGTH = 512
"""Tokens of what is asked, and of an answer."""
MOST_LOGITS = 2**27
RATES = {"t5": 5e-4, "mt5": 5e-4}
"""T5 learns at higher rates than the others, as its authors fine-tune it."""
SETTINGS = Settings(
    lr=1e-4, batch=32, epochs=10, patience=3, warmup=0.06, smoothing=0.1, judge_start=True, checkpoint_seconds=60.0
)


@dataclass(frozen=True)
class Recipe:
    """How a model is fine-tuned. rates: of AdamW for the families that have one of their own."""

    settings: Settings = SETTINGS
    rates: Mapping[str, float] = field(default_factory=lambda: RATES)

    def rate(self, family: str) -> float:
        return self.rates.get(family, self.settings.lr)


def train(splits: Splits, options: Options, budget: Budget, progress: Progress, recipe: Recipe) -> language.Trained:
    """`options.variant` is a folder or a hub name, which alone may use the network. Raises: SpecError, NotReady."""
    progress("train", 0, 0, "opening the model")
    opened = hub.open_model(options.variant, "seq2seq", is_pair=True)
    torch.manual_seed(options.seed)
    model, start = opened.model, _start(opened.model)
    most = min(opened.n_positions or LENGTH, LENGTH)
    template = template_of(opened, most, kinds.has_turns(splits.inputs))
    source = hub.with_control(opened.text, [*template.start, *template.answer, *template.end])
    prompts = Prompts(hub.ordinary(source), template, language.columns_of(splits))
    train, validation = (
        language.encode(prompts, *language.rows_of(splits, part), most) for part in ("train", "validation")
    )
    task = language.AnswerTask(train, validation, is_pair=True, start=start, banned=tuple(banned(model)))
    width = int(np.percentile([len(answer) for answer in train.written], 95)) if len(train) else 1
    batch = max(1, min(recipe.settings.batch, MOST_LOGITS // (max(1, width) * model.config.vocab_size)))
    settings = replace(recipe.settings, lr=recipe.rate(model.config.model_type), batch=batch)
    curve = loop.train(model, task, settings, options, budget, progress)
    hub.save_tokenizer(source, hub.names_of(opened.reader), options.artifact / MODEL)
    model.generation_config = _generation(model, template, start)
    told = {"from": options.variant, "training": asdict(settings)}
    return language.Trained("seq2seq", model, prompts, curve, told, train.written)


def _start(model: Any) -> int:
    """The id that an answer begins after, which the configuration names from now on.

    BART's own is the end token, and then always <s>: to begin after <s> is the same without a token for nothing.
    """
    forced = getattr(model.generation_config, "forced_bos_token_id", None)
    bos = getattr(model.config, "bos_token_id", None)
    if forced is not None and forced == bos:
        model.config.decoder_start_token_id = bos
    start = getattr(model.config, "decoder_start_token_id", None)
    start = start if start is not None else getattr(model.generation_config, "decoder_start_token_id", None)
    if start is None:
        raise NotReady(
            "model names no token that answers begin after, expected 'decoder_start_token_id' in its config.json"
        )
    return int(start)


def template_of(opened: hub.Opened, most: int, is_chat: bool) -> Template:
    """What the tokenizer itself puts around a text: T5 an end, BART a beginning and an end.

    Raises: NotReady: the model has no token that ends an answer.
    """
    encoding = opened.tokenizer.encode("a", add_special_tokens=True)
    marks = encoding.special_tokens_mask
    inside = marks.index(0) if 0 in marks else len(marks)
    before = list(encoding.ids[:inside])
    after = [number for number, mark in zip(encoding.ids[inside:], marks[inside:], strict=True) if mark]
    if not opened.ends:
        raise NotReady("model names no token that ends a text, expected 'eos_token' in tokenizer_config.json")

    def ids(content: str) -> Ids:
        return list(opened.tokenizer.encode(content, add_special_tokens=False).ids)

    roles: dict[str, tuple[Ids, Ids]] = {role: (ids(f"{role}: "), ids("; ")) for role in (ROLES if is_chat else ())}
    return Template(
        start=before, roles=roles or {"user": ([], [])}, answer=after or opened.ends[:1], end=opened.ends, most=most
    )


def _generation(model: Any, template: Template, start: int) -> Any:
    """Its generation settings without how it should write, which is the manifest's to say."""
    from transformers import GenerationConfig

    old = model.generation_config
    return GenerationConfig(
        bos_token_id=old.bos_token_id,
        eos_token_id=template.end,
        pad_token_id=old.pad_token_id,
        decoder_start_token_id=start,
        bad_words_ids=old.bad_words_ids,
    )
