"""A pretrained decoder of any family, taught to answer: fine-tuned, then taught by preferences and rewards if asked.

Source: as `gpt`, `adapters` and `preference` name them. What is trained is what is served: the template in the manifest
        is the one that made the training rows.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from windlass.errors import NotReady, SpecError
from windlass.kinds import text
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.language import adapters, hub, language, preference, templates
from windlass.learners.language.preference import PreferenceSettings, TrainableModel
from windlass.learners.language.rewards import REWARDS, TESTS
from windlass.learners.networks.training import loop
from windlass.learners.networks.training.plan import ROOM
from windlass.learners.networks.training.steps import Settings
from windlass.learners.networks.training.task import Task
from windlass.predictors.language.engine import MODEL
from windlass.predictors.language.prompts import Prompts, Template
from windlass.records import Json, Progress, Splits
from windlass.sources.prepared import CHECKS

LENGTH = 2_048
"""Tokens of prompt and answer together: longer ones cost more than they teach in minutes."""
MOST_LOGITS, MOST_BATCH = 2**27, 16
RATES = {"small": 1e-4, "large": 2e-5, "beside": 2e-4}
"""Of AdamW: all weights of a model below `adapters.LARGE`, above it, and matrices beside them."""
GENTLER = 0.1
"""The rate of what follows, as a share of fine-tuning's."""
SETTINGS = Settings(
    batch=MOST_BATCH, epochs=3, patience=2, warmup=0.06, weight_decay=0.0, judge_start=True, checkpoint_seconds=60.0
)
LEAST_ASKED = 8
"""Tokens that a model must have room for between those of its template, or it does not see what is asked."""
SHARE = 0.5
"""Of the time for fine-tuning, where preferences or rewards follow it."""


@dataclass(frozen=True)
class Lesson:
    """What the model shall learn. answers: of the training rows, as ids; notes: what is not as the model had it.

    rates: of AdamW, as `RATES`.
    """

    prompts: Prompts
    task: Task
    train: language.Pairs
    continues: bool
    text: str
    notes: list[str]
    rates: Mapping[str, float]


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Trains as `train`, and writes the artifact."""
    return language.deliver(train(splits, options, budget, progress), splits, options)


def train(
    splits: Splits, options: Options, budget: Budget, progress: Progress, rates: Mapping[str, float] = RATES
) -> language.Trained:
    """Trains on the answers after their prompts, or on texts alone where nothing is asked.

    `options.variant` is a folder or a hub name, which alone may use the network. `options.language` says how.
    Raises: SpecError, NotReady, DataError.
    """
    _check(splits, options)
    progress("train", 0, 0, "opening the model")
    quantized = adapters.quantization() if options.language.adapt == "qlora" else None
    opened = hub.open_model(options.variant, "llm", is_pair=False, quantization=quantized)
    torch.manual_seed(options.seed)
    lesson = _lesson(opened, splits, rates)
    n_parameters = sum(value.numel() for value in opened.model.parameters())
    adapt = adapters.choose(options.language.adapt, n_parameters)
    settings = _settings(adapt, n_parameters, lesson, opened.model.config.get_text_config().vocab_size)
    model = opened.model if adapt == "full" else adapters.lora(opened.model, options.language.rank)
    follows = bool(options.language.preferences) + bool(options.language.reward)
    first = budget.part(SHARE if follows else 1.0)
    curve = loop.train(model, lesson.task, settings, options, first, progress)
    pupil = TrainableModel(model, lesson.prompts, lesson.text, hub.names_of(opened.reader))
    taught = _taught_further(pupil, lesson, splits, options, budget, progress)
    curve += taught
    notes = [*lesson.notes, *(entry["note"] for entry in taught if "note" in entry)]
    if lesson.notes:
        curve[-1]["note"] = "; ".join([*filter(None, [curve[-1].get("note")]), *lesson.notes])
    plain = _plain(adapters.merged(model), lesson.prompts.template, opened)
    hub.save_tokenizer(lesson.text, pupil.names, options.artifact / MODEL)
    told = {
        "from": options.variant,
        "adapt": adapt,
        "notes": notes,
        "training": asdict(settings),
        "continues": lesson.continues,
        **({} if adapt == "full" else {"rank": options.language.rank}),
    }
    return language.Trained("llm", plain, lesson.prompts, curve, told, [] if lesson.continues else lesson.train.written)


def _check(splits: Splits, options: Options) -> None:
    """Raises: SpecError, NotReady: what is asked for cannot be done, said before the model is read."""
    section = options.language
    if section.preferences or section.reward:
        preference.check_installed()
    if section.preferences and not Path(section.preferences).is_file():
        raise NotReady(f"preferences are '{section.preferences}', expected a JSONL file of prompt, chosen, rejected")
    if section.reward == "tests":
        if TESTS not in splits.inputs and CHECKS not in splits.train.columns:
            raise SpecError("reward is 'tests', expected `checks:` to name the column with the tests of each row")
        REWARDS["tests"]("x = 1", {TESTS: "assert x == 1"}, ())


def _lesson(opened: hub.Opened, splits: Splits, rates: Mapping[str, float]) -> Lesson:
    """The rows as this model reads them. Raises: NotReady: the model has no token that ends an answer."""
    (rows, texts), shown = language.rows_of(splits, "train"), language.rows_of(splits, "validation")
    continues = not any(str(value).strip() for row in rows for value in row.values())
    room = min(opened.n_positions or LENGTH, LENGTH)
    longest = max((len(opened.tokenizer.encode(each, add_special_tokens=False).ids) for each in texts), default=0)
    answer = min(room // 2, max(language.LEAST_TOKENS, int(language.SLACK * longest)))
    spoken = templates.spoken(opened.reader)
    template = templates.as_ids(spoken, _control(opened.text), opened.ends, room - answer)
    if not template.end:
        raise NotReady("model names no token that ends a text, expected 'eos_token' in tokenizer_config.json")
    if continues:
        spoken = replace(spoken, notes=[])
        template = Template(start=template.end[:1], roles={"user": ([], [])}, end=template.end, most=room)
    source = hub.with_control(opened.text, templates.control_ids(template, opened.tokenizer))
    prompts = Prompts(hub.ordinary(source), template, language.columns_of(splits))
    if not continues:
        _check_room(prompts, room, answer)
    train, validation = (
        language.encode(prompts, *part, 10**9 if continues else answer) for part in ((rows, texts), shown)
    )
    task: Task = language.AnswerTask(train, validation, is_pair=False)
    if continues:
        stream, shown_stream = (language.stream_of(part.written) for part in (train, validation))
        task = language.ContinuationTask(stream, shown_stream, min(room, LENGTH // 4))
    return Lesson(prompts, task, train, continues, source, [*spoken.notes, *_cut(train, template)], rates)


def _check_room(prompts: Prompts, room: int, answer: int) -> None:
    """Raises: NotReady: the template and an answer take all that the model reads at once."""
    around = len(prompts.after([{"role": "user", "content": ""}]).ids)
    if prompts.template.most - around < LEAST_ASKED:
        raise NotReady(
            f"model reads {room:,} tokens at once, expected at least {answer + around + LEAST_ASKED:,}: "
            f"{answer:,} of an answer, {around:,} of its template and {LEAST_ASKED} of what is asked"
        )


def _cut(train: language.Pairs, template: Template) -> list[str]:
    """What to say of questions that are longer than the model reads."""
    if not train.n_cut:
        return []
    return [f"{train.n_cut:,} of {len(train):,} questions did not fit into {template.most:,} tokens and were cut"]


def _control(source: str) -> Any:
    """The tokenizer to which control tokens are control tokens: for the template alone."""
    tokenizer = hub.ordinary(source)
    tokenizer.encode_special_tokens = False
    return tokenizer


def _settings(adapt: str, n_parameters: int, lesson: Lesson, n_tokens: int) -> Settings:
    """Rate by what is trained; as many rows a step as their logits leave room for."""
    size = "beside" if adapt != "full" else "small" if n_parameters <= adapters.LARGE else "large"
    width = int(np.percentile(lesson.task.lengths, 95)) if len(lesson.task.lengths) else 1
    batch = max(1, min(SETTINGS.batch, MOST_LOGITS // (max(1, width) * n_tokens)))
    return replace(SETTINGS, lr=lesson.rates[size], batch=batch)


def _taught_further(
    pupil: TrainableModel, lesson: Lesson, splits: Splits, options: Options, budget: Budget, progress: Progress
) -> list[Json]:
    """Preferences, then rewards, as far as they are asked for."""
    section, curve = options.language, list[Json]()
    most = max(map(len, lesson.train.written), default=language.LEAST_TOKENS)
    course = PreferenceSettings(lr=GENTLER * lesson.rates["beside" if adapters.is_adapted(pupil.model) else "small"])
    if section.preferences:
        pairs = preference.read_pairs(Path(section.preferences), pupil.prompts, max(most, language.LEAST_TOKENS))
        allowed = budget.part(SHARE if section.reward else ROOM)
        curve += preference.prefer(pupil, pairs, course, options, allowed, progress)
    if section.reward:
        tasks = preference.Tasks(
            *(_rewarded(splits, part, section.reward, section.max_tokens or most) for part in ("train", "validation"))
        )
        curve += preference.reinforce(pupil, tasks, course, options, budget.part(ROOM), progress)
    return curve


def _rewarded(splits: Splits, part: str, reward: str, most: int) -> preference.Task:
    rows, _ = language.rows_of(splits, part)
    table = getattr(splits, part)
    if CHECKS in table.columns:
        rows = [{**row, TESTS: tests} for row, tests in zip(rows, table[CHECKS].to_list(), strict=True)]
    rights = [text.several(str(value or "")) for value in table[splits.output_column].to_list()]
    n_kept = len(rows) if part == "train" else preference.N_JUDGED
    return preference.Task(rows[:n_kept], rights[:n_kept], REWARDS[reward], most)


def _plain(model: Any, template: Template, opened: hub.Opened) -> Any:
    """The model with nothing in its generation settings but what ends a text: the manifest says how it writes."""
    from transformers import GenerationConfig

    model.generation_config = GenerationConfig(
        bos_token_id=opened.reader.bos_token_id, eos_token_id=template.end, pad_token_id=opened.reader.pad_token_id
    )
    return model
