"""What follows fine-tuning: a model learns which of two answers people prefer, or from rewards for its own answers.

Both run in trl's trainers, on the token ids that our own template gives; nothing is reported, sent or pickled.
Source: DPO, Rafailov et al. 2023, arXiv:2305.18290; GRPO, Shao et al. 2024, arXiv:2402.03300.
"""

import copy
import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from windlass.errors import DataError, NotReady, pip_install
from windlass.kinds import chat
from windlass.kinds import table as kinds
from windlass.learners.contract import Budget, Options
from windlass.learners.language.adapters import is_adapted
from windlass.learners.language.rewards import Reward
from windlass.learners.networks.training import checkpoint, probe
from windlass.predictors.language.decoding import TorchDecoder
from windlass.predictors.language.language import Language
from windlass.predictors.language.prompts import Ids, Prompts
from windlass.predictors.language.writing import Writing, silent_hear
from windlass.records import Json, Progress, Row

N_JUDGED = 200
"""Rows whose rewards are compared, before and after."""
PAD, LOGGED = "pad_token", ("loss", "reward", "rewards/accuracies", "kl", "completions/mean_length")
"""What of trl's log goes into the curve, where it is there."""
OLD_NAME = "`(is_)?gradient_checkpointing` is deprecated"
"""trl and accelerate ask transformers by a name that is going out of use."""


@dataclass(frozen=True)
class PreferenceSettings:
    """How it is taught. lr: highest. batch: pairs or answers of a step. epochs: times over all prompts at most.

    beta: DPO: how near to the model as it was. group: GRPO: answers to one prompt, compared with each other.
    temperature: of those answers.
    """

    lr: float = 1e-5
    batch: int = 8
    epochs: float = 2.0
    beta: float = 0.1
    group: int = 8
    temperature: float = 1.0


@dataclass(frozen=True)
class TrainableModel:
    """A model that is taught further, and what reads for it. text: its tokenizer.json; names: of its control tokens."""

    model: Any
    prompts: Prompts
    text: str
    names: dict[str, str]


@dataclass(frozen=True)
class Pair:
    """Two answers to one prompt, the first of which was preferred."""

    asked: Ids
    chosen: Ids
    rejected: Ids


@dataclass(frozen=True)
class Task:
    """Prompts whose answers are rewarded, row for row. most: tokens of an answer."""

    rows: Sequence[Row]
    rights: Sequence[Sequence[str]]
    reward: Reward
    most: int


# Preferences ----------------------------------------------------------------------------------------------------------


def read_pairs(path: Path, prompts: Prompts, most: int) -> list[Pair]:
    """The pairs of a JSONL file: `prompt` (a text, messages, or a row), `chosen`, `rejected`; equal ones are left out.

    Raises: NotReady: no such file. DataError: a line that is none, or no pairs.
    """
    if not path.is_file():
        raise NotReady(f"preferences are '{path}', expected a JSONL file of prompt, chosen and rejected")
    end = prompts.template.end[:1]
    pairs = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            chosen, rejected = (_text(row[name]) for name in ("chosen", "rejected"))
            asked = _asked(row["prompt"], prompts)
        except (ValueError, KeyError, TypeError, RecursionError, DataError) as error:
            raise DataError(
                f"{path}, line {number} is no preference ({str(error)[:100]}), expected prompt, chosen and rejected"
            ) from None
        if chosen != rejected:
            pairs.append(Pair(asked, *([*prompts.text(text)[: most - 1], *end] for text in (chosen, rejected))))
    if not pairs:
        raise DataError(f"{path} holds no two different answers, expected pairs of them")
    return pairs


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("an answer is no text")
    return value


def _asked(prompt: Any, prompts: Prompts) -> Ids:
    """The prompt as a product of these columns would read it."""
    if isinstance(prompt, str):
        return prompts.after([{"role": "user", "content": prompt}]).ids
    if isinstance(prompt, list):
        return prompts.after(chat.messages(chat.read(prompt, None))).ids
    return prompts.of({column.name: _read(column.kind, prompt[column.name]) for column in prompts.columns}).ids


def _read(kind: str, value: Any) -> Any:
    is_talk = kinds.get(kind).turns is not None
    return kinds.get(kind).read(value, None) if is_talk else value


def prefer(
    pupil: TrainableModel,
    pairs: Sequence[Pair],
    course: PreferenceSettings,
    options: Options,
    budget: Budget,
    progress: Progress,
) -> list[Json]:
    """Teaches the model in place which answers are preferred; gives the curve."""
    from trl import DPOConfig, DPOTrainer

    class Preferring(DPOTrainer):
        """DPO on token ids that are ready."""

        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

        def _send_telemetry(self) -> None:
            """Sends nothing."""

    watch = _watch("preferences", budget, progress)
    still = None if is_adapted(pupil.model) else copy.deepcopy(pupil.model).requires_grad_(False)
    with _workplace(pupil, options) as place:
        size = min(course.batch, len(pairs))
        settings = DPOConfig(
            **_plain(place, course, options), beta=course.beta, max_length=None, per_device_train_batch_size=size
        )
        trainer = Preferring(
            model=pupil.model,
            ref_model=still,
            args=settings,
            processing_class=_reader(pupil),
            callbacks=[watch],
            train_dataset=_table(
                {
                    "prompt_ids": [pair.asked for pair in pairs],
                    "chosen_ids": [pair.chosen for pair in pairs],
                    "rejected_ids": [pair.rejected for pair in pairs],
                }
            ),
        )
        _run(trainer)
    if is_adapted(pupil.model) and "ref" in pupil.model.peft_config:
        pupil.model.delete_adapter("ref")
    return _curve(watch.logged, f"preferences (DPO), {len(pairs):,} pairs")


# Rewards --------------------------------------------------------------------------------------------------------------


class Tasks(NamedTuple):
    """What is learned from, and what it is judged on."""

    train: Task
    validation: Task


def reinforce(
    pupil: TrainableModel,
    tasks: Tasks,
    course: PreferenceSettings,
    options: Options,
    budget: Budget,
    progress: Progress,
) -> list[Json]:
    """Teaches the model in place by rewards for its own answers, or leaves it as it was where those of the validation
    task fell; gives the curve."""
    task, judged = tasks
    held = checkpoint.copied(checkpoint.weights(pupil.model))
    before = mean_reward(pupil, judged)
    watch = _watch("rewards", budget, progress)
    with _workplace(pupil, options) as place:
        _run(_rewarded(pupil, task, course, _plain(place, course, options), watch))
    after = mean_reward(pupil, judged)
    words = f"{task.reward.__name__} {before:.3f} -> {after:.3f} on {len(judged.rows):,} rows"
    if after < before:
        checkpoint.set_weights(pupil.model, held)
        words += ", so that the model stays as it was"
    return _curve(watch.logged, f"rewards (GRPO), {words}")


def mean_reward(pupil: TrainableModel, task: Task) -> float:
    """Of the likeliest answer to each row."""
    if not task.rows:
        return float("nan")
    model = pupil.model.to(probe.device())
    engine = Language(pupil.prompts, [lambda: TorchDecoder(model, pupil.prompts.template.end)])
    written = engine.write(task.rows, Writing(max_tokens=task.most), silent_hear)
    return float(
        np.mean(
            [
                task.reward(answer.text, row, rights)
                for answer, row, rights in zip(written, task.rows, task.rights, strict=True)
            ]
        )
    )


def _rewarded(pupil: TrainableModel, task: Task, course: PreferenceSettings, plain: Json, watch: Any) -> Any:
    """trl's trainer for rewards: a prompt is the number of its row, which becomes our token ids."""
    from trl import GRPOConfig, GRPOTrainer

    class Rewarding(GRPOTrainer):
        """GRPO on prompts of our own template."""

        def _tokenize_prompts(self, prompts: list[str]) -> Any:
            return [pupil.prompts.of(task.rows[int(number)]).ids for number in prompts], None, {}

        def _send_telemetry(self) -> None:
            """Sends nothing."""

    def reward(prompts: list[str], completion_ids: list[Ids], **_: Any) -> list[float | None]:
        texts = [pupil.prompts.tokenizer.decode(ids, skip_special_tokens=True).strip("\n") for ids in completion_ids]
        return [
            task.reward(text, task.rows[int(number)], task.rights[int(number)])
            for text, number in zip(texts, prompts, strict=True)
        ]

    size = max(course.group, course.batch // course.group * course.group)
    settings = GRPOConfig(
        **plain,
        num_generations=course.group,
        per_device_train_batch_size=size,
        max_completion_length=task.most,
        temperature=course.temperature,
        beta=0.0,
        shuffle_dataset=True,
    )
    return Rewarding(
        model=pupil.model,
        reward_funcs=reward,
        args=settings,
        processing_class=_reader(pupil),
        callbacks=[watch],
        train_dataset=_table({"prompt": [str(n) for n in range(len(task.rows))]}),
    )


# trl ------------------------------------------------------------------------------------------------------------------


def check_installed() -> None:
    """Raises: NotReady: trl is not installed."""
    try:
        import trl  # noqa: F401
    except ImportError as error:
        raise NotReady(f"preferences and rewards need trl ({str(error)[:100]})", pip_install("llm")) from None


def _plain(place: Path, course: PreferenceSettings, options: Options) -> Json:
    """The settings that both trainers share: on this machine, without a word to anybody, nothing written."""
    exact = options.precision == "float32" or probe.device().type == "cpu"
    return {
        "output_dir": str(place),
        "learning_rate": course.lr,
        "num_train_epochs": course.epochs,
        "seed": options.seed,
        "lr_scheduler_type": "constant_with_warmup",
        "warmup_steps": 0,
        "bf16": not exact,
        "report_to": [],
        "save_strategy": "no",
        "logging_steps": 1,
        "disable_tqdm": True,
        "gradient_checkpointing": False,
        "log_level": "error",
        "dataloader_pin_memory": False,
        "max_grad_norm": 1.0,
        "use_cpu": probe.device().type == "cpu",
    }


def _table(columns: dict[str, list[Any]]) -> Any:
    from datasets import Dataset

    return Dataset.from_dict(columns)


def _reader(pupil: TrainableModel) -> Any:
    """The tokenizer as trl wants it; the token that ends our answers ends its answers too."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer.from_str(pupil.text)
    end = tokenizer.id_to_token(pupil.prompts.template.end[0])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=end, pad_token=pupil.names.get(PAD, end))


def _run(trainer: Any) -> None:
    from transformers.trainer_callback import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    trainer.train()


@contextmanager
def _workplace(pupil: TrainableModel, options: Options) -> Iterator[Path]:
    """Where trl may write, empty and gone afterwards; and the model as it was but for its weights."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    base = pupil.model.get_base_model() if is_adapted(pupil.model) else pupil.model
    forward = base.__dict__.get("forward")
    place = options.folder / "taught"
    state = torch.is_grad_enabled()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", OLD_NAME, FutureWarning)
            yield place
    finally:
        torch.set_grad_enabled(state)
        base.__dict__.pop("forward", None)  # trl puts a head of its own before it
        if forward is not None:
            base.__dict__["forward"] = forward
        if place.is_dir():
            place.rmdir()


def _watch(what: str, budget: Budget, progress: Progress) -> Any:
    """Hears of trl's steps, and ends the run when its time is over."""
    from transformers import TrainerCallback

    class Watch(TrainerCallback):
        """Keeps what was logged, with the seconds since the start."""

        def __init__(self) -> None:
            self.logged: list[Json] = []

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            kept = {name.split("/")[-1]: float(logs[name]) for name in LOGGED if name in (logs or {})}
            if kept:
                self.logged.append(
                    {
                        "step": state.global_step,
                        "epoch": round(float(state.epoch or 0), 3),
                        **kept,
                        "seconds": round(budget.spent(), 3),
                    }
                )

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            last = self.logged[-1] if self.logged else {}
            note = ", ".join(f"{name} {last[name]:.3f}" for name in ("loss", "reward") if name in last)
            progress("train", state.global_step, state.max_steps, f"{what}: {note}")
            if not budget.left():
                control.should_training_stop = True

    return Watch()


def _curve(logged: list[Json], note: str) -> list[Json]:
    """At most a hundred entries, evenly spread, the last with the note."""
    finite = [{name: value for name, value in entry.items() if np.isfinite(value)} for entry in logged]
    kept = (
        [finite[place] for place in sorted({*np.linspace(0, len(finite) - 1, 100).astype(int).tolist()})]
        if finite
        else [{}]
    )
    return [*kept[:-1], {**kept[-1], "note": note}]
