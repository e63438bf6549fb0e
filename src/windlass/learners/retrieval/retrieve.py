"""The answer of the most similar row: hard to beat where the same is asked again in other words.

Source: TF-IDF and cosine: Salton & Buckley 1988; as a baseline of answering: Lowe et al. 2015, arXiv:1506.08909.
"""

from collections import Counter

from windlass.kinds import table as kinds
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.language.written import answers_read, check_asks, finish_text, inputs_read
from windlass.predictors.retrieval.nearest import Nearest, by_feature, features, joined, write_known
from windlass.records import Progress, Splits

FORMS = {"text": "terms", "chat": "terms", "number": "binned", "category": "onehot", "date": "calendar"}
N_TERMS = 100_000
CHUNK = 1_024
"""Rows read between two reports of progress."""


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Keeps every training row. Raises: NotReady: the rows ask nothing, or the goal measures a likelihood."""
    check_asks(splits, options, "what is looked up")
    columns = tuple(
        kinds.fit_column(
            name,
            kind,
            splits.train[name].to_list(),
            splits.root,
            FORMS[kind],
            {"n_terms": N_TERMS} if FORMS[kind] == "terms" else None,
        )
        for name, kind in splits.inputs.items()
    )
    rows, answers, parts = inputs_read(splits, splits.train), answers_read(splits, splits.train), []
    for start in range(0, len(rows), CHUNK):
        progress("reading", start, len(rows), "")
        parts.append(features(columns, rows[start : start + CHUNK]))
    known = joined(parts)
    otherwise = answers.index(Counter(answers).most_common(1)[0][0])
    write_known(options.artifact, known, answers)
    manifest = {"predictor": "nearest", "learner": "retrieve", "inputs": columns, "settings": {"otherwise": otherwise}}
    return finish_text(options, manifest, splits, Nearest(columns, by_feature(known), answers, otherwise))
