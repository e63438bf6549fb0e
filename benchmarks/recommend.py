"""Ranked lists of items on MovieLens (latest small): the latest fifth of each user, and all after one moment.

Usage: python benchmarks/recommend.py --data ../shared/data [--parts speed sequence movielens-user movielens-time scale]
    [--no-peers]
Liked: a rating of 4 or more. Candidates: all films of the catalogue that the user has not rated; nothing is sampled.
movielens-user: the split that comes with the set (it leaks time: what others did later is learned from).
movielens-time: all before one moment is learned from; of what each user did in the log's latest fifth the first half is
folded into the history, and the liked films of the rest are right, as the product splits by time.
Settings are chosen on the latest fifth before the cut, cut in the same way, and never on test rows; then all before the
cut is learned from. Intervals: bootstrap over users; two learners are compared on the same users (paired). Peers:
`implicit`, with its defaults and its own recommend() on the same rows. scale: drawn events of items of Zipf's law in
groups of taste. Writes rows of results/goals.json.
"""

import argparse
import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from goals import Goal, record
from scipy import sparse

from windlass.errors import NotReady
from windlass.kinds.items import History
from windlass.learners.contract import Budget, Options
from windlass.learners.recommend import models
from windlass.learners.recommend.choosing import exam_of
from windlass.learners.recommend.ease import Solver
from windlass.learners.recommend.factorised import als
from windlass.learners.recommend.fitting import Make
from windlass.learners.recommend.interactions import Interactions, from_columns
from windlass.learners.recommend.item_knn import neighbours
from windlass.learners.recommend.lessons import Histories, Lesson, Question
from windlass.learners.recommend.popular import counted, recent
from windlass.metrics.measures import Estimate
from windlass.metrics.recommendations import COVERAGE, GINI, HIT, NDCG, RECALL, RECIPROCAL, RankedMarks
from windlass.predictors.recommend.item_index import ItemIndex
from windlass.predictors.recommend.popular import Popular
from windlass.predictors.recommend.recommender import Recommender
from windlass.predictors.recommend.reranking import top, with_quota
from windlass.predictors.recommend.scorer import Scorer
from windlass.predictors.recommend.taste import Taste
from windlass.records import Catalogue, Column, Manifest, silent

ISSUE, FOLDER, LIKED, K, N_RESAMPLED, SEED = "recommend", "recsys-movielens-small", 4.0, 10, 2_000, 13
SHARE, FOLDED = 0.2, 0.5
INPUT, OUTPUT = "history", "recommended"
GOAL_USER, FIT_SECONDS, P95_MS, BY_CHANCE, LONGEST = 0.115, 5.0, 10.0, 3.0, 100
NEW_SHARE = 0.1
"""One place of ten."""
SIZES = ((250_000, 25_000), (500_000, 50_000), (1_000_000, 100_000))
MOST_BYTES, LINEAR = 2_000_000_000, 1.3
"""Exponent of events by which seconds may grow."""


@dataclass(frozen=True)
class Ratings:
    """Of one user each row, in order of time. parts: (n,) 0 = train, 1 = test, as the files have it."""

    users: np.ndarray
    items: np.ndarray
    times: np.ndarray
    liked: np.ndarray
    parts: np.ndarray


def ratings_of(folder: Path) -> Ratings:
    rows = [np.loadtxt(folder / f"{part}.csv", delimiter=",", skiprows=1) for part in ("train", "test")]
    parts = np.repeat([0, 1], [len(each) for each in rows])
    whole = np.concatenate(rows)
    order = np.lexsort((parts, whole[:, 3], whole[:, 0]))
    whole = whole[order]
    return Ratings(whole[:, 0].astype(int), whole[:, 1].astype(int), whole[:, 3], whole[:, 2] >= LIKED, parts[order])


def catalogue_of(folder: Path, first: Sequence[str]) -> Catalogue:
    """All films; those that were rated come first."""
    with (folder / "movies.csv").open(encoding="utf-8", newline="") as file:
        told = {row["movieId"]: row for row in csv.DictReader(file)}
    ids = tuple(dict.fromkeys([*first, *told]))
    columns = {name: tuple(told[each][name] for each in ids) for name in ("title", "genres")}
    return Catalogue(ids, columns)


def histories_by(
    ratings: Ratings, folder: Path, cut: Callable[[slice], tuple[int, int]], folded: float = 0.0
) -> Histories:
    """Each user cut at two places, first for validation, then for test. cut: rows of a user -> both places. folded: the
    share of what comes after a cut that is known when it is asked."""
    parts: dict[str, list[Question]] = {"train": [], "validation": [], "test": []}
    places = np.flatnonzero(np.diff(ratings.users, prepend=-1))
    for first, end in zip(places, [*places[1:], len(ratings.users)], strict=True):
        rows = slice(int(first), int(end))
        validation, test = cut(rows)
        user = str(ratings.users[first])
        whole = _history(ratings, slice(rows.start, validation), user)
        if len(whole):
            parts["train"].append(Question(whole, History()))
        for name, start, stop in (("validation", validation, test), ("test", test, rows.stop)):
            known = start + int(folded * (stop - start))
            now = float(ratings.times[max(rows.start, known - 1)])
            past = _history(ratings, slice(rows.start, known), user, now)
            parts[name].append(Question(past, _history(ratings, slice(known, stop), user)))
    order = np.argsort(ratings.times, kind="stable")
    catalogue = catalogue_of(folder, [str(each) for each in ratings.items[order]])
    return Histories((Column(INPUT, "items"),), Column(OUTPUT, "items"), parts["train"], parts["validation"],
                     parts["test"], catalogue)  # fmt: skip


def _history(ratings: Ratings, rows: slice, user: str, now: float = np.nan) -> History:
    weights = ratings.liked[rows].astype(float)
    items = tuple(map(str, ratings.items[rows]))
    return History(items, tuple(ratings.times[rows].tolist()), tuple(weights.tolist()), user, float(now), whole=True)


def by_user(ratings: Ratings) -> Callable[[slice], tuple[int, int]]:
    """The test rows of the files; before them the latest fifth validates."""

    def cut(rows: slice) -> tuple[int, int]:
        test = rows.start + int((ratings.parts[rows] == 0).sum())
        return test - round(SHARE * (test - rows.start)), test

    return cut


def by_time(ratings: Ratings) -> Callable[[slice], tuple[int, int]]:
    """The log's latest fifth is the test; the fifth before it validates."""
    moments = np.sort(ratings.times)
    test_from = moments[int((1 - SHARE) * (len(moments) - 1))]
    validation_from = moments[int((1 - SHARE) ** 2 * (len(moments) - 1))]

    def cut(rows: slice) -> tuple[int, int]:
        found = np.searchsorted(ratings.times[rows], [validation_from, test_from], "right")
        return rows.start + int(found[0]), rows.start + int(found[1])

    return cut


@dataclass(frozen=True)
class Measured:
    """A learner on test rows. first, last: seconds of the fit that chooses and of the one that is served. validated:
    NDCG of the first one's lists on validation rows."""

    marks: RankedMarks
    recommender: Recommender
    first: float
    last: float
    validated: float

    @property
    def ndcg(self) -> np.ndarray:
        return self.marks.each[NDCG]


MAKERS: dict[str, Callable[[], Make]] = {
    "popularity": lambda: lambda lesson, left: Popular(counted(lesson.interactions)),
    "recent-popularity": recent,
    "item-knn": models.item_knn,
    "ease": models.ease,
    "als": models.factorised_by_als,
    "bpr": models.factorised_by_bpr,
    "content": models.content,
    "item-blend": models.blended,
}


SECONDS = 120
"""Of a fit, of the processor, so that who else works here changes nothing."""


def budget() -> Budget:
    return Budget(SECONDS, clock=time.process_time)


def measured(histories: Histories, name: str, maker: Make) -> Measured:
    """As a learner of the product does it: chooses before validation, fits before the test."""
    asked = [each for each in histories.validation if wants(each) and len(each.past)]
    catalogue = histories.catalogue
    lesson = Lesson(histories.before_validation(), catalogue.ids, catalogue, tuple(asked))
    started = time.process_time()
    chosen = maker(lesson, budget())
    first = time.process_time() - started
    exam = exam_of(lesson)
    validated = float(exam.reached(exam.scores(chosen)).mean())
    every = histories.before_test()
    started = time.process_time()
    scorer = maker(Lesson(every, catalogue.ids, catalogue, (), True), budget())
    last = time.process_time() - started
    recommender = Recommender(Manifest("recommender", name, histories.inputs, histories.output), scorer,
                              index_of(catalogue, every))  # fmt: skip
    rows, truth = tests_of(histories)
    return Measured(recommender.marks(rows, truth), recommender, first, last, validated)


def wants(question: Question) -> bool:
    return bool(set(question.after.liked) - set(question.past.items))


def tests_of(histories: Histories) -> tuple[list[dict[str, str]], list[str]]:
    tests = [each for each in histories.test if wants(each)]
    return [{INPUT: each.past.as_text()} for each in tests], [each.after.as_text() for each in tests]


def index_of(catalogue: Catalogue, events: Interactions) -> ItemIndex:
    weights = np.bincount(events.items, weights=events.weights, minlength=len(catalogue)).astype(np.float32)
    touched = np.bincount(events.items, minlength=len(catalogue)).astype(np.int32)
    return ItemIndex(catalogue, weights, touched, touched)


def interval(values: np.ndarray, score: Callable[[np.ndarray], float] = np.mean) -> Estimate:
    """With its 95 % interval over resampled users."""
    random, n_rows = np.random.default_rng(SEED), len(values)
    drawn = [score(values[random.integers(0, n_rows, n_rows)]) for _ in range(N_RESAMPLED)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(float(score(values)), float(low), float(high))


def told(name: str, found: Measured) -> str:
    marks = found.marks
    tail = marks.value("tail_share")
    return (
        f"{name}: NDCG@10 {interval(found.ndcg)}, recall {marks.value(RECALL):.3f}, MRR {marks.value(RECIPROCAL):.3f}, "
        f"hit {marks.value(HIT):.3f}, coverage {marks.value(COVERAGE):.3f}, Gini {marks.value(GINI):.3f}, tail "
        f"{tail:.3f}, novelty {marks.novelty:.1f} bits, chosen in {found.first:.1f} s, fitted in {found.last:.1f} s"
    )


def board_of(histories: Histories, names: Sequence[str] = tuple(MAKERS)) -> dict[str, Measured]:
    found = {}
    for name in names:
        try:
            found[name] = measured(histories, name, MAKERS[name]())
        except (NotReady, ImportError) as error:
            print(f"{name}: {error}", flush=True)
            continue
        print(told(name, found[name]), flush=True)
    return found


def setting(histories: Histories, found: RankedMarks, how: str) -> str:
    n_right, n_unseen = int(found.n_right.sum()), int(found.n_unseen.sum())
    return (
        f"{how}; liked: a rating of {LIKED:g} or more; candidates: all {len(histories.catalogue):,} films that the "
        f"user has not rated; {len(found)} users; {n_unseen:,} of {n_right:,} liked films are of no event before; "
        f"{int((found.n_events == 0).sum())} users have no history"
    )


def others(board: dict[str, Measured]) -> str:
    return "; ".join(f"{name} {each.marks.value(NDCG):.4f}" for name, each in board.items())


def peers(histories: Histories) -> dict[str, np.ndarray]:
    """NDCG of each test row by `implicit` as it comes, asked in its own way: recommend(), folded in."""
    import implicit
    from implicit.cpu.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import CosineRecommender

    every, catalogue = histories.before_test(), histories.catalogue
    liked = every.weights > 0
    matrix = sparse.csr_matrix((np.ones(int(liked.sum()), np.float32), (every.users[liked], every.items[liked])),
                               shape=(every.n_users, every.n_items))  # fmt: skip
    tests = [each for each in histories.test if wants(each)]
    asked = sparse.lil_matrix((len(tests), len(catalogue)), dtype=np.float32)
    for row, each in enumerate(tests):
        asked[row, [catalogue.places[item] for item in each.past.liked]] = 1
    asked = asked.tocsr()
    found = {}
    models_of = {
        f"implicit {implicit.__version__} ALS": AlternatingLeastSquares(random_state=SEED, num_threads=1),
        f"implicit {implicit.__version__} cosine": CosineRecommender(K=100),
    }
    for name, model in models_of.items():
        model.fit(matrix, show_progress=False)
        folds_in = {"recalculate_user": True} if "ALS" in name else {}
        ranked = []
        for row, each in enumerate(tests):
            seen = {catalogue.places[item] for item in each.past.items}
            ids, _ = model.recommend(row, asked[row], N=K + len(seen), filter_already_liked_items=False, **folds_in)
            ranked.append([item for item in ids.tolist() if item not in seen][:K])
        found[name] = np.array([_ndcg(best, each, catalogue) for best, each in zip(ranked, tests, strict=True)])
        print(f"{name}: NDCG@10 {interval(found[name])}", flush=True)
    return found


def _ndcg(best: Sequence[int], question: Question, catalogue: Catalogue) -> float:
    """By the definition, apart from the product's own code, so that one measures the other."""
    right = {catalogue.places[item] for item in set(question.after.liked) - set(question.past.items)}
    gain = sum(1 / np.log2(place + 2) for place, item in enumerate(best) if item in right)
    return float(gain / sum(1 / np.log2(place + 2) for place in range(min(K, len(right)))))


def measured_user(folder: Path, with_peers: bool) -> list[Goal]:
    """The latest fifth of each user."""
    ratings = ratings_of(folder)
    histories = histories_by(ratings, folder, by_user(ratings))
    board = board_of(histories)
    beside = peers(histories) if with_peers else {}
    ease, note = board["ease"], setting(histories, board["ease"].marks, "the latest fifth of each user (leaks time)")
    best = max(board, key=lambda name: board[name].validated)
    apart = interval(board[best].ndcg - ease.ndcg)
    chosen = f"by validation rows {best} is chosen, {apart} above EASE, paired by user"
    value = interval(ease.ndcg)
    return [
        Goal(ISSUE, "MovieLens by user NDCG@10", f">= {GOAL_USER}, or EASE is chosen", f"EASE {value}; {chosen}",
             value.value >= GOAL_USER, f"{note}; {others(board)}"),
        *(
            Goal(ISSUE, f"MovieLens by user, EASE against {name}", "not below, paired by user",
                 f"{interval(ease.ndcg - ndcg)} above it ({ndcg.mean():.4f})",
                 interval(ease.ndcg - ndcg).high >= 0, note)
            for name, ndcg in beside.items()
        ),
    ]  # fmt: skip


def measured_sequence(folder: Path) -> list[Goal]:
    """Self-attention over the order of events beside EASE: a network must better the simple one by a paired interval,
    or the simple one is chosen. Some four minutes of the processor."""
    from windlass.learners.recommend.sequential import sequential

    ratings, rows = ratings_of(folder), []
    for words, cut, folded in (("by time", by_time, FOLDED), ("by user", by_user, 0.0)):
        histories = histories_by(ratings, folder, cut(ratings), folded)
        ease = measured(histories, "ease", MAKERS["ease"]())
        with tempfile.TemporaryDirectory() as place:
            found = measured(histories, "sasrec", sequential(Options(Path(place)), silent))
        apart = interval(found.ndcg - ease.ndcg)
        chosen = "sasrec" if apart.low > 0 else "EASE"
        name, wanted = f"MovieLens {words} NDCG@10, sasrec above EASE", "paired interval above 0, or EASE is chosen"
        goal = Goal(ISSUE, name, wanted,
                    f"{interval(found.ndcg)} against {ease.ndcg.mean():.4f}: {apart}; {chosen} is chosen", True,
                    f"{setting(histories, found.marks, words)}; {told('sasrec', found)}")  # fmt: skip
        record(goal)
        rows.append(goal)
    return rows


def measured_speed(folder: Path) -> list[Goal]:
    """Half a minute: EASE alone, chosen, fitted and asked."""
    ratings = ratings_of(folder)
    histories = histories_by(ratings, folder, by_user(ratings))
    return speed(measured(histories, "ease", MAKERS["ease"]()), histories)


def speed(found: Measured, histories: Histories) -> list[Goal]:
    """Seconds of the processor, since others work on this machine; a request brings the whole history as text, which is
    the longest way: of a known user it is in the release."""
    rows, _ = tests_of(histories)
    took, length = [], np.mean([len(row[INPUT]) for row in rows])
    found.recommender.answer(rows[:1])  # tables that are made at the first request
    for row in rows:
        started = time.thread_time()
        found.recommender.answer([row])
        took.append(1000 * (time.thread_time() - started))
    p95 = float(np.percentile(took, 95))
    events = f"{len(histories.before_test()):,} events, {len(histories.catalogue):,} items"
    return [
        Goal(ISSUE, "MovieLens EASE fit", f"<= {FIT_SECONDS:g} s",
             f"{found.last:.2f} s; choosing the penalty before {found.first:.2f} s", found.last <= FIT_SECONDS,
             f"processor time; {events}"),
        Goal(ISSUE, "MovieLens EASE p95 of a request", f"<= {P95_MS:g} ms",
             f"{p95:.2f} ms (median {np.median(took):.2f})", p95 <= P95_MS,
             f"processor time of answer() with reading, reasons and a history of {length:,.0f} characters on average; "
             f"{len(took)} requests; {events}"),
    ]  # fmt: skip


def measured_time(folder: Path, with_peers: bool) -> list[Goal]:
    """All after one moment, histories folded in."""
    ratings = ratings_of(folder)
    histories = histories_by(ratings, folder, by_time(ratings), FOLDED)
    board = board_of(histories)
    beside = peers(histories) if with_peers else {}
    plain = board["recent-popularity"].ndcg
    best = max((name for name in board if name != "recent-popularity"), key=lambda name: board[name].validated)
    note = setting(histories, board["ease"].marks, "by one moment, half of what came after it folded in")
    rows = []
    for name in dict.fromkeys(["ease", "item-blend", best]):
        apart = interval(board[name].ndcg - plain)
        rows.append(
            Goal(ISSUE, f"MovieLens by time NDCG@10, {name} above recent popularity", "paired interval above 0",
                 f"{interval(board[name].ndcg)} against {plain.mean():.4f}: {apart}", apart.low > 0,
                 f"{note}; {others(board)}; " + "; ".join(f"{peer} {each.mean():.4f}" for peer, each in beside.items()))
        )  # fmt: skip
    return [*rows, quota(board["ease"], board["content"], histories, note)]


def quota(plain: Measured, content: Measured, histories: Histories, note: str) -> Goal:
    """New films, of no event before, in one place of ten: those that content puts first, and drawn ones.

    Of lists of 100, the longest that are answered, so that ten places are counted; lists of ten stand beside.
    """
    rows, _ = tests_of(histories)
    index = plain.recommender.index
    is_new = index.touched == 0
    hits, chance, first, lost = [], [], 0, []
    tests = [each for each in histories.test if wants(each)]
    for asked, question in zip(content.recommender.asked(rows), tests, strict=True):
        right = index.numbers(question.after.liked)
        fresh = top(np.where(is_new, content.recommender.scores(asked), -np.inf), int(NEW_SHARE * LONGEST))
        hits.append(np.isin(fresh, right).sum())
        first += int(np.isin(fresh[:1], right).sum())
        chance.append(len(fresh) * is_new[right[right >= 0]].sum() / is_new.sum())  # what drawn ones hit on average
        best = top(plain.recommender.scores(plain.recommender.asked([{INPUT: question.past.as_text()}])[0]), K)
        lost.append(_ndcg(with_quota(best, fresh, NEW_SHARE, K).tolist(), question, histories.catalogue)
                    - _ndcg(best.tolist(), question, histories.catalogue))  # fmt: skip
    found, drawn = np.array(hits, float), np.array(chance)
    both = np.stack([found, drawn], axis=1)
    value = interval(both, lambda each: float(each[:, 0].sum() / max(each[:, 1].sum(), 1e-9)))
    return Goal(
        ISSUE,
        "MovieLens by time, new films at their quota",
        f">= {BY_CHANCE:g} x hits of drawn ones",
        f"{value} x ({found.sum():.0f} hits of {len(found)} lists of {LONGEST}; {drawn.sum():.2f} by chance)",
        value.value >= BY_CHANCE,
        f"one place of ten for {int(is_new.sum()):,} films of no event; of lists of ten {first} hits, "
        f"{drawn.sum() / (NEW_SHARE * LONGEST):.2f} by chance, and the NDCG@10 of EASE changes by {np.mean(lost):.4f}; "
        f"{note}",
    )


# many events and items -----------------------------------------------------------------------------------------------


def drawn_events(n_events: int, n_items: int, n_groups: int = 50) -> Interactions:
    """Items by Zipf's law, most of a user's from one of some groups of taste; 20 events a user."""
    random, n_users = np.random.default_rng(SEED), n_events // 20
    popular = (random.zipf(1.3, 3 * n_events) - 1) % n_items
    group = random.integers(0, n_groups, n_users)
    users = np.repeat(np.arange(n_users), 20)
    items = popular[: len(users)]
    of_taste = random.random(len(users)) < 0.7
    items = np.where(of_taste, (items * n_groups + group[users]) % n_items, items)
    times = random.random(len(users)) * 86_400 * 365
    return from_columns(users.tolist(), items.tolist(), times, known_items=list(range(n_items))).interactions  # type: ignore[arg-type]


def scaled(name: str, n_events: int, n_items: int) -> None:
    """In a process of its own, so that its memory is its own: prints seconds, bytes and milliseconds of a request."""
    events = drawn_events(n_events, n_items)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    started = time.process_time()
    scorer: Scorer = neighbours(events, 30.0) if name == "item-knn" else als(events, models.ALS_SETTINGS[0])
    seconds = time.process_time() - started
    took = []
    for user in range(200):
        history = events.items[events.history(user)]
        started = time.thread_time()
        scores = scorer.scores(history, np.ones(len(history), np.float32), np.zeros(len(history)), 0.0)
        scores[history] = -np.inf
        top(scores, K)
        took.append(1000 * (time.thread_time() - started))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(seconds, after, np.percentile(took, 95), before)


def measured_scale() -> list[Goal]:
    goals = []
    for name in ("item-knn", "als"):
        found = []
        for n_events, n_items in SIZES:
            run = subprocess.run([sys.executable, __file__, "--one", name, str(n_events), str(n_items)], text=True,
                                 capture_output=True, check=True)  # fmt: skip
            found.append([float(each) for each in run.stdout.split()])
            print(name, n_events, n_items, found[-1], flush=True)
        seconds, most, p95 = (np.array([each[place] for each in found]) for place in range(3))
        slope = float(np.polyfit(np.log([events for events, _ in SIZES]), np.log(seconds), 1)[0])
        goals.append(
            Goal(ISSUE, f"10^6 events, 10^5 items: {name}",
                 f"linear cost, <= {MOST_BYTES / 1e9:g} GB, <= {P95_MS:g} ms",
                 f"{seconds[-1]:.1f} s, {most[-1] / 1e9:.2f} GB at most, p95 {p95[-1]:.2f} ms; seconds grow with "
                 f"events^{slope:.2f}",
                 bool(slope <= LINEAR and most[-1] <= MOST_BYTES and p95[-1] <= P95_MS),
                 "processor time; simulated: 20 events a user, Zipf 1.3, 50 groups of taste; "
                 + "; ".join(f"{size:,} events {each:.1f} s" for (size, _), each in zip(SIZES, seconds, strict=True)))
        )  # fmt: skip
    try:
        Solver(drawn_events(*SIZES[-1]), Taste())
        refused = ""
    except NotReady as error:
        refused = str(error)
    value = refused or "was fitted"
    return [*goals, Goal(ISSUE, "10^6 events, 10^5 items: EASE", "refuses with a reason", value, bool(refused))]


PARTS = ("speed", "sequence", "movielens-user", "movielens-time", "scale")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--parts", nargs="+", default=PARTS)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--one", nargs=3)
    given = parser.parse_args()
    if given.one:
        scaled(given.one[0], int(given.one[1]), int(given.one[2]))
        return
    folder = given.data / FOLDER
    for part in given.parts:
        if part == "speed":
            record(*measured_speed(folder))
        elif part == "sequence":
            measured_sequence(folder)
        elif part == "movielens-user":
            record(*measured_user(folder, not given.no_peers))
        elif part == "movielens-time":
            record(*measured_time(folder, not given.no_peers))
        else:
            record(*measured_scale())


if __name__ == "__main__":
    main()
