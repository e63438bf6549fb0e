"""Indexes of passages, and how sure their answers are: learned from questions with the passages that answer them, and
from the same questions with these taken away.
"""

import numpy as np

from windlass.kinds import cited
from windlass.kinds import table as kinds
from windlass.learners.contract import Budget, Fitted, Options
from windlass.predictors.artifact import N_GOLDEN, write_golden, write_manifest
from windlass.predictors.passages import bm25
from windlass.predictors.passages.answerer import Answerer, Gold, is_right
from windlass.predictors.passages.keywords import PASSAGES, SURENESS, Keywords
from windlass.records import Column, Manifest, Progress, Splits
from windlass.store.json_files import write_json

LEAST_TAUGHT = 20
"""Questions, half of them without an answer, from which sureness is learned."""
RIDGE = 1.0


def fit_words(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """BM25 over all passages."""
    passages = tuple(splits.passages or ())
    progress("indexing", 0, len(passages), "")
    index = bm25.build([passage.searched for passage in passages])
    options.artifact.mkdir(parents=True, exist_ok=True)
    index.save(options.artifact)
    write_json(options.artifact / PASSAGES, [passage.as_json() for passage in passages])
    sureness = _sureness(Keywords(passages, index), splits)
    engine = Keywords(passages, index, sureness)
    progress("indexing", len(passages), len(passages), "")
    return _finished(engine, sureness, splits, options)


def _finished(engine: Keywords, sureness: list[float], splits: Splits, options: Options) -> Fitted:
    """Writes manifest and golden rows, and measures on the validation questions."""
    inputs = tuple(Column(name, kind) for name, kind in splits.inputs.items())
    column = Column(splits.output_column, splits.output[splits.output_column])
    manifest = Manifest("passages", "keywords", inputs, column, settings={SURENESS: sureness})
    write_manifest(options.artifact, manifest)
    answerer = Answerer(manifest, engine)
    held = splits.validation.to_dicts()
    rows = [
        {name: kinds.get(kind).portable(row[name], splits.root) for name, kind in splits.inputs.items()}
        for row in held[:N_GOLDEN]
    ]
    write_golden(options.artifact, rows, answerer.golden(rows))
    marks = answerer.tested(held, [row[splits.output_column] for row in held], splits.root)
    return Fitted(options.artifact, marks.value(options.metric) if held else float("nan"))


def _sureness(engine: Keywords, splits: Splits) -> list[float]:
    """Weights of the evidence, by ridge logistic regression; none of too few questions, or where all are alike."""
    from sklearn.linear_model import LogisticRegression

    rows = splits.train.to_dicts()
    questions = ["\n".join(str(row[name]) for name in splits.inputs) for row in rows]
    rights = [cited.read(row[splits.output_column], None) or {} for row in rows]
    gold = Gold(engine.passages)
    features, is_good = [], []
    for question, right in zip(questions, rights, strict=True):
        held = gold.of(right)
        for gone in [frozenset[int]()] if not held else [frozenset[int](), held]:
            found = engine.find([question], [gone])[0]
            if not found.sentences:
                continue
            sentence = found.sentences[0]
            said = engine.passages[sentence.place].text[sentence.start : sentence.end]
            features.append(engine.evidence_of(question, found))
            is_good.append(bool(not gone and is_right({"text": said}, right)) if right else False)
    if len(features) < LEAST_TAUGHT or len(set(is_good)) < 2:
        return []
    model = LogisticRegression(C=1 / RIDGE, max_iter=1_000).fit(np.array(features), is_good)
    return [float(each) for each in (*model.coef_[0], model.intercept_[0])]
