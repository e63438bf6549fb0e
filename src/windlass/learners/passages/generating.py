"""Learners of cited answers that a language model writes: the index of `hybrid`, the model, and what judges its sentences.

The model is whatever writes texts, taught on prompts of train questions: passages by number, and the sentence that answers
with its number. Passages stand in them by chance, so that the model looks where the answer is; a question whose passage
was not found, or that no document answers, teaches to say so.
"""  # noqa: E501

import random
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from windlass.kinds import cited
from windlass.kinds import table as kinds
from windlass.learners.contract import Budget, Fit, Fitted, Options
from windlass.learners.passages import rebuilding
from windlass.learners.passages.search import fit_hybrid
from windlass.learners.reading.written import fit_support
from windlass.learners.retrieval import elsewhere
from windlass.predictors import table as predictors
from windlass.predictors.artifact import read_manifest, write_golden, write_manifest
from windlass.predictors.language.sentences import sentences
from windlass.predictors.passages.answerer import Answerer, Gold
from windlass.predictors.passages.engine import SUPPORT, WRITER
from windlass.predictors.reading.generative import NONE, PROMPT, prompt
from windlass.records import Progress, Splits

ANSWER = "answer"
METRIC = "token_f1"
"""Of what the model is taught to write."""
N_JUDGED, N_GOLDEN = 24, 4
"""Validation questions that are answered here, and golden ones: writing takes its time, and `evaluate` measures all."""


def fit_llm(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """With a pretrained model, fine-tuned on its prompts. Raises: as `llm`'s own fit."""
    from windlass.learners.language import llm

    return _fit("llm", llm.fit, splits, options, budget, progress)


def fit_elsewhere(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """With the model behind a URL as it is. Raises: as `elsewhere`'s own fit."""
    return _fit("elsewhere", elsewhere.fit, splits, options, budget, progress)


def _fit(learner: str, fit: Fit, splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    indexed = fit_hybrid(splits, options, budget, progress).artifact
    found = predictors.load(indexed)
    assert isinstance(found, Answerer)
    asked = prompts(splits, found, options.seed)
    own = replace(options, folder=options.folder / WRITER, metric=METRIC)
    written = fit(asked, own, budget, progress)
    shutil.rmtree(indexed / WRITER, ignore_errors=True)
    shutil.move(written.artifact, indexed / WRITER)
    shutil.rmtree(own.folder, ignore_errors=True)
    progress("verifying", 0, 0, "learning what supports a sentence")
    (indexed / SUPPORT).mkdir(exist_ok=True)
    fit_support([passage.text for passage in found.engine.passages], seed=options.seed).save(indexed / SUPPORT)
    return replace(_finished(learner, indexed, splits, options), curve=written.curve)


def refresh(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted | None:
    """The index for documents as they are now beside the same model. A model that was taught from passages may hold
    them: where one of them is gone it is taught anew (None). Raises: as `rebuilding.refresh`."""
    artifact, passages = options.artifact, splits.passages or ()
    if read_manifest(artifact).learner != "elsewhere" and rebuilding.gone_from(artifact, passages):
        return None

    def beside(folder: Path) -> None:
        shutil.copytree(artifact / WRITER, folder / WRITER)
        (folder / SUPPORT).mkdir()
        fit_support([passage.text for passage in passages], seed=options.seed).save(folder / SUPPORT)

    return rebuilding.refresh(splits, options, budget, progress, beside)


def _finished(learner: str, folder: Path, splits: Splits, options: Options) -> Fitted:
    write_manifest(folder, replace(read_manifest(folder), learner=learner))
    answerer = predictors.load(folder)
    assert isinstance(answerer, Answerer)
    held = splits.validation.head(N_JUDGED).to_dicts()
    rows = [
        {name: kinds.get(kind).portable(row[name], splits.root) for name, kind in splits.inputs.items()}
        for row in held[:N_GOLDEN]
    ]
    write_golden(folder, rows, answerer.golden(rows))
    marks = answerer.tested(held, [row[splits.output_column] for row in held], splits.root)
    return Fitted(folder, marks.value(options.metric) if held else float("nan"))


def prompts(splits: Splits, answerer: Answerer, seed: int) -> Splits:
    """Train and validation questions as prompts with what is to be written."""
    chance = random.Random(seed)
    train, validation = (_prompts(part, splits, answerer, chance) for part in (splits.train, splits.validation))
    validation = validation.head(N_JUDGED)
    return Splits({PROMPT: "text"}, {ANSWER: "text"}, train, validation, validation, splits.root)


def _prompts(rows: pl.DataFrame, splits: Splits, answerer: Answerer, chance: random.Random) -> pl.DataFrame:
    values, gold = rows.to_dicts(), Gold(answerer.engine.passages)
    questions = ["\n".join(str(row[name]) for name in splits.inputs) for row in values]
    told = []
    for question, row, found in zip(questions, values, answerer.engine.find(questions), strict=True):
        right = cited.read(row[splits.output_column], None) or {}
        shown = answerer.shown(question, found)
        order = chance.sample(range(len(shown.readable)), len(shown.readable))
        shown = replace(
            shown,
            readable=[shown.readable[place] for place in order],
            passages=[shown.passages[place] for place in order],
            titles=[shown.titles[place] for place in order],
        )
        held = gold.of(right) or frozenset()
        numbers = [number for number, each in enumerate(shown.readable, 1) if int(each.id) in held]
        answer = _taught(right, [shown.readable[number - 1].text for number in numbers], numbers)
        told.append({PROMPT: prompt(shown), ANSWER: answer or NONE[shown.language]})
    return pl.DataFrame(told, schema={PROMPT: pl.String, ANSWER: pl.String})


def _taught(right: dict[str, str], texts: Sequence[str], numbers: Sequence[int]) -> str:
    """The sentence that answers with the number of its passage; '' where none does."""
    for words in (right.get("quote"), right.get("text")):
        for text, number in zip(texts, numbers, strict=True):
            held = next((each for each in sentences(text) if words and (words in each or each in words)), None)
            if held:
                return f"{held} [{number}]"
    return f"{right['text']} [{numbers[0]}]" if right.get("text") and numbers else ""
