"""A pretrained text encoder: as it is under a linear head, or fine-tuned as a whole.

Source: BERT, Devlin et al. 2019, arXiv:1810.04805; mean pooling: Reimers & Gurevych 2019, arXiv:1908.10084. The starter
encoder is all-MiniLM-L6-v2 (Apache-2.0).
Shapes: B rows, T tokens, D features.
"""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from windlass.errors import NotReady, SpecError
from windlass.kinds import table as kinds
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.networks import frozen
from windlass.learners.networks.batches import Inputs
from windlass.learners.networks.encoders import Source, check_script, locate
from windlass.learners.networks.network import (
    FORMS,
    Design,
    Features,
    Network,
    Outcome,
    Result,
    arrays,
    build,
    deliver,
    fit_network,
)
from windlass.learners.networks.training import probe
from windlass.learners.networks.training.reach import export_seconds
from windlass.learners.networks.training.steps import Settings
from windlass.learners.networks.training.task import answers
from windlass.learners.rows import encode
from windlass.predictors.language.threads import n_threads
from windlass.records import Json, Progress, Splits

LENGTH = 256
N_START, N_TIMED, START_SHARE, START_STRENGTH = 3_000, 16, 0.15, 10.0
SETTINGS = Settings(
    lr=1e-4, head_lr=20.0, batch=32, epochs=4, patience=2, warmup=0.06, smoothing=0.1, average=0.98, judge_start=True
)
VALIDATION_SHARE = 0.25
"""Of the seconds of frozen features, for those of validation rows."""
LEAST_ROWS, STEP_TOKENS, LETTERS = 8, 200, 5
LEAST_STEPS, FLOPS = 700, 4e10
"""On a processor a step of 200 tokens costs as much a token as a larger one, and where time is short more steps teach
more: MR after 240 seconds of one core .806 with 8 rows a step, .753 with 16, .732 with 32; after 1,000 seconds 32 is
the best of them (docs/log.md). So batches are as large as leaves `LEAST_STEPS`. A token is some 5 letters, and a core
does `FLOPS` a second in training."""


class Pooled(Features):
    """Ids (B, T) -> (B, D): the mean of the encoder's last states over real tokens, of length 1."""

    def __init__(self, backbone: nn.Module, pad: int, width: int) -> None:
        super().__init__()
        self.backbone, self.pad, self.width = backbone, pad, width

    def forward(self, tokens_BT: torch.Tensor) -> torch.Tensor:
        real_BT = (tokens_BT != self.pad).long()
        states_BTD = self.backbone(input_ids=tokens_BT, attention_mask=real_BT).last_hidden_state
        real_BT1 = real_BT.unsqueeze(-1).to(states_BTD.dtype)
        mean_BD = (states_BTD * real_BT1).sum(dim=1) / real_BT1.sum(dim=1).clamp(min=1)
        return functional.normalize(mean_BD, dim=1)


def design(learner: str, source: Source, settings: Settings) -> Design:
    """The network around an encoder: all text columns share it. Raises: NotReady, SpecError."""
    config, backbone, tokenizer = load_encoder(source)
    pad = config.pad_token_id or 0
    length = min(LENGTH, getattr(config, "max_position_embeddings", LENGTH + 2) - 2)
    return Design(
        learner=learner,
        settings=settings,
        text=lambda state: Pooled(backbone, pad, config.hidden_size),
        forms={**FORMS, "text": "pieces"},
        text_options={"tokenizer": tokenizer, "length": length, "pad": pad},
        described={
            "encoder": Path(source.name).parent.name
            if source.offline and Path(source.name).name == "model"
            else source.name,
            "trained_weights": sum(weight.numel() for weight in backbone.parameters() if weight.requires_grad),
        },
    )


def load_encoder(source: Source) -> tuple[Any, nn.Module, str]:
    """Configuration, encoder and the text of its tokenizer.json."""
    from transformers import AutoConfig, AutoModel
    from transformers.utils import cached_file, logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    where = {"local_files_only": source.offline}
    try:
        config = AutoConfig.from_pretrained(source.name, **where)
        _refuse_other_than_encoder(source.name, config)
        backbone = AutoModel.from_pretrained(
            source.name, config=config, use_safetensors=True, dtype=torch.float32, **where
        )
        tokenizer = Path(str(cached_file(source.name, "tokenizer.json", **where))).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise NotReady(
            f"encoder '{source.name}' cannot be loaded ({str(error).splitlines()[0][:200]}), expected "
            "config.json, model.safetensors and tokenizer.json"
        ) from None
    if getattr(backbone, "pooler", None) is not None:
        backbone.pooler = None
    backbone.get_input_embeddings().requires_grad_(False)  # half the weights, a fifth of a step's time, no quality
    return config, backbone, tokenizer


def _refuse_other_than_encoder(name: str, config: Any) -> None:
    from transformers import MODEL_FOR_MASKED_LM_MAPPING

    reads_both_ways = type(config) in MODEL_FOR_MASKED_LM_MAPPING
    if not reads_both_ways or config.is_encoder_decoder or getattr(config, "is_decoder", False):
        raise SpecError(
            f"encoder '{name}' is a '{config.model_type}' model, expected an encoder such as BERT, "
            "RoBERTa, DistilBERT, MPNet or DeBERTa"
        )


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """The whole encoder fine-tuned under a head that starts as a logistic regression.

    `options.variant` is a folder or a hub name; nothing: the starter encoder. Training the upper half alone is 1.6
    times as fast and was 2 points worse on MR in the same minutes (docs/log.md).
    Source: the head's start: Kumar et al. 2022, arXiv:2202.10054.
    """
    plan = replace(design("pretrained", locate(options.variant), SETTINGS), start=_start)
    check_script(plan.text_options["tokenizer"], splits)
    batch = _batch(splits, plan.described["trained_weights"], budget.seconds)
    settings = replace(SETTINGS, batch=batch, lr=SETTINGS.lr * (batch / SETTINGS.batch) ** 0.25)
    return fit_network(replace(plan, settings=settings), splits, options, budget, progress)


def _batch(splits: Splits, n_weights: int, seconds: float) -> int:
    """Rows a step: on a processor no more than leave enough steps, and no fewer than fill it."""
    texts = kinds.prose(splits.inputs)
    if probe.device().type != "cpu" or not texts or not len(splits.train):
        return SETTINGS.batch
    letters = sum(len(text or "") for name in texts for text in splits.train[name])
    tokens = max(1.0, letters / LETTERS / len(splits.train))
    rows = seconds * n_threads() * FLOPS / (6 * n_weights * tokens)
    return int(min(SETTINGS.batch, max(LEAST_ROWS, STEP_TOKENS / tokens, rows / LEAST_STEPS)))


def _start(network: Network, train: Inputs, targets: np.ndarray, budget: Budget) -> None:
    """Gives the head the weights of a logistic regression on features: of as many rows as a share of the time lets."""
    rows = np.random.default_rng(0).permutation(len(train))
    network.to(probe.device()).eval()
    first = train.rows(rows[:N_TIMED])
    probe.choose_threads(lambda: answers(network.features, first, N_TIMED))
    started = time.monotonic()
    answers(network.features, first, N_TIMED)
    fits = int(START_SHARE * budget.left() / (time.monotonic() - started) * N_TIMED)
    rows = rows[: max(N_TIMED, min(N_START, fits))]
    known = answers(network.features, train.rows(rows), N_TIMED)
    network.cpu()
    if len(np.unique(targets[rows])) > 1:
        frozen.set_head(network, frozen.logistic(known, targets[rows], network.head.out_features, START_STRENGTH))


def fit_frozen(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """The encoder as it is under a logistic regression, joined into one graph; `options.variant` as for `fit`."""
    torch.manual_seed(options.seed)
    plan = replace(design("frozen", locate(options.variant), Settings()), dropout=0.0, hidden_table=False)
    check_script(plan.text_options["tokenizer"], splits)
    encoded = encode(splits, plan.forms, {"text": plan.text_options})
    train, validation = (arrays(encoded.inputs, batches) for batches in (encoded.train, encoded.validation))
    network = build(plan, encoded.inputs, list(train.arrays), encoded.n_scores)
    paths = [options.folder / f"features-{part}.safetensors" for part in ("validation", "train")]
    short = budget.short_of(export_seconds(network))
    budgets = (short.part(VALIDATION_SHARE), short)  # many validation rows would leave none to learn from
    known, learned = (
        frozen.features(network, inputs, frozen.Place(path, each, progress, options.seed, options.precision))
        for inputs, path, each in zip((validation, train), paths, budgets, strict=True)
    )
    progress("train", len(learned.rows), len(train), "linear head")
    truth = encoded.validation_targets[known.rows]
    chosen = frozen.choose(
        frozen.Examples(learned.features, encoded.train_targets[learned.rows]),
        frozen.Examples(known.features, truth),
        encoded.n_scores,
        lambda logits: encoded.aim.score(options.metric, encoded.output, truth, logits),
        short,
    )
    frozen.set_head(network, chosen.head)
    logits = np.full((len(encoded.validation_targets), encoded.n_scores), np.nan, np.float32)
    logits[known.rows] = chosen.validation_logits
    value = encoded.aim.score(options.metric, encoded.output, truth, chosen.validation_logits)
    curve: list[Json] = [
        {
            "epoch": 1,
            "score": value if len(truth) else None,
            "rows": len(learned.rows),
            "strength": chosen.strength,
            "seconds": round(budget.spent(), 3),
        }
    ]
    fitted = deliver(
        network, plan, encoded, Outcome(splits, options, Result(logits, curve), {"strength": chosen.strength})
    )
    for path in paths:
        path.unlink(missing_ok=True)
    return fitted
