"""The part of a text that answers a question: a small network reads, beside it a pretrained encoder if there is one.

Source: as in `learners/reader.py`.
"""

import copy
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec

import numpy as np
import onnx
import torch
from torch import nn

from windlass.errors import NotReady, pip_install
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.language.written import (
    answers_read,
    check_asks,
    finish_text,
    inputs_read,
    rights_read,
    text_inputs,
)
from windlass.learners.networks import encoders, pretrained
from windlass.learners.networks.export import export
from windlass.learners.networks.training import loop
from windlass.learners.networks.training.steps import Settings
from windlass.learners.retrieval.reader import Pages, Reader, SpanTask, SummedLogits
from windlass.metrics.measures import best_temperature
from windlass.metrics.texts import References
from windlass.predictors.language.reading import Vocabulary
from windlass.predictors.retrieval.span import FILE, TOKENIZER, VOCABULARY, Span, SpanEncoder, open_tokenizer
from windlass.records import Json, Progress, Row, Splits
from windlass.store.files import write_bytes, write_text
from windlass.store.json_files import write_json

LEAST_LITERAL = 0.9
MOST_ROWS, MOST_JUDGED, N_WORDS, MOST_PIECES = 30_000, 400, 20_000, 512
LONGEST_SHARE = 0.99
"""So many of the training answers are short enough to be given."""
READER_SHARE = 0.35
"""Of the time, where an encoder is to learn as well."""
READER = Settings(lr=2e-3, batch=32, epochs=12, patience=4, weight_decay=0.02, average=0.98)
ENCODER = Settings(lr=1e-4, head_lr=10.0, batch=16, epochs=4, patience=2, warmup=0.06, average=0.98, judge_start=True)
N_TEMPERATURE = 10


@dataclass(frozen=True)
class Trained:
    """A network that has learned a task. score: the best of its curve; NaN where there is none."""

    name: str
    network: nn.Module
    task: SpanTask
    settings: Settings
    curve: list[Json]

    @property
    def score(self) -> float:
        scores = [entry["score"] for entry in self.curve if entry["score"] is not None]
        return max(scores, default=float("nan"))


@dataclass(frozen=True)
class TrainingContext:
    """What surrounds the trainings."""

    options: Options
    budget: Budget
    progress: Progress

    def train(self, name: str, network: nn.Module, task: SpanTask, settings: Settings, share: float) -> Trained:
        """The network trained in that share of the time left; its plan and checkpoint have a folder of their own."""
        options = replace(self.options, folder=self.options.folder / name)
        options.folder.mkdir(parents=True, exist_ok=True)

        def show(step: str, done: float, total: float, note: str = "") -> None:
            self.progress(step, done, total, f"{name}, {note}")

        curve = loop.train(network, task, settings, options, self.budget.part(share), show)
        return Trained(name, network.cpu(), task, settings, curve)


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress, settings: Settings = READER) -> Fitted:
    """Trains the reader, then a copy of it with an encoder beside it; the better one on the validation rows answers.

    `options.variant` is the encoder's folder or hub name; nothing: the starter encoder where it is installed and knows
    the script. `settings` are the reader's.
    Raises: NotReady: there is no text beside the question, or the answers do not stand in it.
    """
    check_asks(splits, options, "what is pointed at")
    progress("reading", 0, 0, "")
    span, task = _task(splits, options)
    encoder = _encoder(splits, options, task.eyes.vocabulary)
    torch.manual_seed(options.seed)
    course = TrainingContext(options, budget, progress)
    reader = Reader(len(task.eyes.vocabulary.words))
    found = [course.train("reader", reader, task, settings, READER_SHARE if encoder else 1.0)]
    if encoder:
        torch.manual_seed(options.seed)
        beside = SummedLogits(copy.deepcopy(reader), encoder.backbone, encoder.width, encoder.eyes.padding)
        found.append(course.train("encoder", beside, replace(task, eyes=encoder.eyes), ENCODER, 1.0))
    best = max(found, key=lambda trained: np.nan_to_num(trained.score, nan=-1.0))
    made: Json = {"tried": {trained.name: _or_none(trained.score) for trained in found}, "network": best.name}
    if encoder and best.name == "encoder":
        write_text(options.artifact / TOKENIZER, encoder.tokenizer)
        made["encoder"] = {"length": encoder.length, "pad": encoder.eyes.padding}
    fitted = _deliver(best, replace(span, eyes=best.task.eyes), made, splits, options)
    for trained in found:
        shutil.rmtree(options.folder / trained.name, ignore_errors=True)
    return replace(fitted, curve=best.curve)


def _task(splits: Splits, options: Options) -> tuple[Span, SpanTask]:
    """What is learned, and how rows are read for it. Raises: NotReady: see `fit`."""
    columns = text_inputs(splits)
    if len(columns) < 2:
        raise NotReady(f"rows have {len(columns)} text column, expected a text and a question")
    rows, answers = inputs_read(splits, splits.train)[:MOST_ROWS], answers_read(splits, splits.train)[:MOST_ROWS]
    literal = [answer in row[columns[0]] for row, answer in zip(rows, answers, strict=True)]
    if np.mean(literal) < LEAST_LITERAL:
        raise NotReady(
            f"{100 * np.mean(literal):.0f} % of the answers stand word for word in '{columns[0]}', "
            f"expected at least {100 * LEAST_LITERAL:.0f} %"
        )
    others = tuple(name for name in splits.inputs if name in columns[1:])
    texts = dict.fromkeys(row[name] for row in rows for name in columns)
    eyes = SpanEncoder(Vocabulary.fit(texts, N_WORDS))
    span = Span(lambda arrays: np.zeros((len(arrays[0]), 2, arrays[0].shape[1])), eyes, columns[0], others, 1)
    train = _pages(span, rows, [[answer] for answer in answers])
    known = [number for number, places in enumerate(train.places) if places]
    if not known:
        raise NotReady(f"no answer stands in a part of '{columns[0]}' that is read, expected most of them to")
    train = train.select(known)
    judged = splits.validation.head(MOST_JUDGED)
    validation = _pages(span, inputs_read(splits, judged), rights_read(splits, judged))
    lengths = [min(last - first for first, last in places) + 1 for places in train.places]
    longest = int(np.ceil(np.quantile(lengths, LONGEST_SHARE)))
    return replace(span, longest=longest), SpanTask(train, validation, eyes, longest, options.metric)


def _pages(span: Span, rows: Sequence[Row], rights: Sequence[References]) -> Pages:
    readings = span.readings(rows)
    places = [reading.places(right[0]) for reading, right in zip(readings, rights, strict=True)]
    return Pages(readings, places, rights)


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder, ready to read beside."""

    backbone: nn.Module
    width: int
    tokenizer: str
    length: int
    eyes: SpanEncoder


def _encoder(splits: Splits, options: Options, vocabulary: Vocabulary) -> Encoder | None:
    """The encoder that the user named, or the starter encoder; None where there is none for these texts.

    Raises: NotReady, SpecError: the one that was named cannot be used.
    """
    try:
        if find_spec("transformers") is None:
            raise NotReady("encoder needs transformers", pip_install("train"))
        plan = pretrained.design("extract", encoders.locate(options.variant), ENCODER)
        encoders.check_script(plan.text_options["tokenizer"], splits)
    except NotReady:
        if options.variant:
            raise
        return None
    assert plan.text is not None
    pooled = plan.text({})
    assert isinstance(pooled, pretrained.Pooled)
    tokenizer, padding = plan.text_options["tokenizer"], plan.text_options["pad"]
    length = min(MOST_PIECES, int(getattr(pooled.backbone.config, "max_position_embeddings", MOST_PIECES + 2)) - 2)
    eyes = SpanEncoder(vocabulary, open_tokenizer(tokenizer, length), padding)
    return Encoder(pooled.backbone, pooled.width, tokenizer, length, eyes)


def _deliver(best: Trained, span: Span, settings: Json, splits: Splits, options: Options) -> Fitted:
    """The artifact: graph, vocabulary, manifest and golden rows."""
    task, network = best.task, best.network.eval()
    shown = task.validation if any(task.validation.lengths) else task.train
    sample = [reading for reading in shown.readings if len(reading.words)][:2]
    options.artifact.mkdir(parents=True, exist_ok=True)
    difference = export(network, task.eyes.arrays(sample), options.artifact)
    _open_last_axis(options)
    write_json(options.artifact / VOCABULARY, task.eyes.vocabulary.as_json())

    def run(arrays: Sequence[np.ndarray]) -> np.ndarray:
        with torch.inference_mode():
            return network(*(torch.from_numpy(array) for array in arrays)).numpy()

    temperature = _temperature(network, task)
    settings = {
        **settings,
        "column": span.column,
        "longest": span.longest,
        "training": asdict(best.settings),
        "largest_difference": difference,
        "parameters": sum(value.numel() for value in network.parameters()),
    }
    manifest = {"predictor": "span", "learner": "extract", "settings": settings, "temperature": temperature}
    return finish_text(options, manifest, splits, replace(span, run=run, temperature=temperature))


def _open_last_axis(options: Options) -> None:
    """Tracing wrote down how long the traced texts were; they may be of any length."""
    graph = onnx.load(str(options.artifact / FILE))
    graph.graph.output[0].type.tensor_type.shape.dim[2].dim_param = "words"
    write_bytes(options.artifact / FILE, graph.SerializeToString())


def _temperature(network: nn.Module, task: SpanTask) -> float:
    """What makes the probabilities of starts and ends mean what they say on the validation rows; 1 where few."""
    rows = [row for row, places in enumerate(task.validation.places) if places]
    if len(rows) < N_TEMPERATURE:
        return 1.0
    logits = task.logits(network, READER.batch)
    filled = np.full((len(rows), 2, int(task.validation.lengths.max())), -1e4)
    for number, row in enumerate(rows):
        filled[number, :, : task.validation.lengths[row]] = logits[row]
    targets = np.array([task.validation.places[row][0] for row in rows])
    return best_temperature(targets.reshape(-1), filled.reshape(-1, filled.shape[2]))


def _or_none(score: float) -> float | None:
    return None if np.isnan(score) else score
