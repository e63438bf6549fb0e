"""What every learner of recommendations does around its scorer: two fits, the measure, the artifact, golden rows."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.recommend.interactions import Interactions
from windlass.learners.recommend.lessons import Histories, Lesson, read
from windlass.metrics.recommendations import EACH, ITEM_METRICS, RankedMarks
from windlass.predictors.artifact import N_GOLDEN, keep_validation, write_golden, write_manifest
from windlass.predictors.recommend.arrangement import Arrangement, Rules
from windlass.predictors.recommend.item_index import ItemIndex
from windlass.predictors.recommend.recommender import UNTIL, Recommender
from windlass.predictors.recommend.scorer import SCORER, Scorer
from windlass.records import Manifest, Progress, Row, Splits

Make = Callable[[Lesson, Budget], Scorer]
FORMAT = "recommender"
MOST_VALIDATED = 2_000
"""Users of validation who are answered, evenly spread."""


def fit(learner: str, make: Make, splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Makes a scorer on what came before validation, measures it there, and makes another on all before the test.

    Raises: DataError: there are no events to learn from.
    """
    histories = read(splits)
    progress("reading", 0, 3, f"{len(histories.catalogue):,} items")
    before = histories.before_validation()
    if not len(before):
        raise DataError("no event comes before validation, expected some to learn from", "a longer log")
    manifest = Manifest(FORMAT, learner, histories.inputs, histories.output, settings={SCORER: learner})
    rows, places = _validated_rows(splits)
    catalogue = histories.catalogue
    asked = tuple(histories.validation[place] for place in places.tolist())
    lesson = Lesson(before, catalogue.ids, catalogue, asked)
    arrange = _arranger(Rules.of(histories.output.state))
    measured = None
    if rows:
        index = _index(histories, before)
        scorer, listed = make(lesson, budget.part(0.4)), arrange(lesson, index, budget)
        first = Recommender(manifest, scorer, index, arrangement=listed)
        progress("validation", 1, 3, f"{len(rows):,} users")
        measured = first.marks(rows, [row[splits.output_column] for row in rows], splits.root)
        _keep(options, measured, places)
    every = histories.before_test()
    progress("learning", 2, 3, f"{len(every):,} events")
    lesson, index = replace(lesson, interactions=every, validation=(), is_last=True), _index(histories, every)
    scorer = make(lesson, budget)
    latest = float(every.times.max(initial=0.0))
    manifest = replace(manifest, settings={**manifest.settings, UNTIL: latest})
    served = Recommender(manifest, scorer, index, histories.known_users(), arrange(lesson, index, budget))
    _write(served, splits, options)
    is_known = measured is not None and options.metric in ITEM_METRICS
    return Fitted(
        options.artifact, measured.value(options.metric) if measured is not None and is_known else float("nan")
    )


def _arranger(rules: Rules) -> Callable[[Lesson, ItemIndex, Budget], Arrangement | None]:
    """What makes lists by the rules of the product; none where it has none."""
    if not rules.as_json():
        return lambda lesson, index, budget: None
    if not rules.need_content:
        return lambda lesson, index, budget: Arrangement(rules, None, index.touched == 0, index.margins)
    from windlass.learners.recommend.contents import SETTINGS, content

    make = content(SETTINGS[:1])  # which of them is best for whole lists says nothing of new items

    def arrange(lesson: Lesson, index: ItemIndex, budget: Budget) -> Arrangement:
        return Arrangement(rules, make(lesson, budget.part(0.2)), index.touched == 0, index.margins)

    return arrange


def _validated_rows(splits: Splits) -> tuple[list[Row], np.ndarray]:
    n_rows = len(splits.validation)
    places = (
        np.unique(np.linspace(0, n_rows - 1, min(n_rows, MOST_VALIDATED)).astype(int)) if n_rows else np.zeros(0, int)
    )
    return splits.validation[places.tolist()].to_dicts(), places


def _index(histories: Histories, events: Interactions) -> ItemIndex:
    """The items with what was done with them."""
    n_items = len(histories.catalogue)
    weights = np.bincount(events.items, weights=events.weights, minlength=n_items).astype(np.float32)
    pairs = events.pairs
    people = np.bincount(pairs.items[pairs.weights > 0], minlength=n_items).astype(np.int32)
    touched = np.bincount(events.items, minlength=n_items).astype(np.int32)
    return ItemIndex(histories.catalogue, weights, people, touched)


def _keep(options: Options, marks: RankedMarks, places: np.ndarray) -> None:
    """What the first fit said of validation rows, and what recommending what is popular would have."""
    options.folder.mkdir(parents=True, exist_ok=True)
    own = np.stack([*(marks.each[name] for name in EACH), marks.n_events, marks.n_right, marks.n_unseen], axis=1)
    popular = np.stack([marks.popular.each[name] for name in EACH], axis=1) if marks.popular is not None else own[:, :4]
    alike = marks.popular.shown if marks.popular is not None else marks.shown
    keep_validation(options.folder, shown=marks.shown, measures=own, popular=popular, popular_shown=alike,
                    events=marks.events[None], rows=places[:, None])  # fmt: skip


def _write(served: Recommender, splits: Splits, options: Options) -> None:
    folder = options.artifact
    folder.mkdir(parents=True, exist_ok=True)
    served.scorer.save(folder)
    served.index.save(folder)
    served.users.save(folder)
    if served.arrangement is not None:
        served.arrangement.save(folder)
    write_manifest(folder, served.manifest)
    head = splits.validation.head(N_GOLDEN) if len(splits.validation) else splits.train.head(N_GOLDEN)
    golden = [
        {column.name: kinds.of(column).portable(row[column.name], splits.root) for column in served.manifest.inputs}
        for row in head.select(list(splits.inputs)).to_dicts()
    ]
    write_golden(folder, golden, served.golden(golden))
