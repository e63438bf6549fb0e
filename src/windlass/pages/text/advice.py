"""What a person should do next, from what was measured: at most four sentences, each naming its evidence."""

from collections.abc import Callable

from windlass.metrics.measures import LOWER, is_better
from windlass.pages.text.candidates import chosen, doubtful_goal
from windlass.pages.text.classes import ClassScore, Pair
from windlass.pages.text.words import count, goal_value, interval, measure, metric_name, number, percent, plain, quoted
from windlass.records import Board, Candidate

MOST = 4
FEW_ROWS = 30


def next_steps(board: Board, answers: Callable[[bool], list[str]]) -> list[str]:
    """What to do next, the surest first; never empty.

    answers(misses) -> what the answers themselves say; misses: the goal is not reached.
    """
    best = chosen(board)
    if best is None:
        return ["Mend the reasons that are listed under “not trained”, then run `windlass run` again."]
    if best.meets_goal:
        return [*_when_met(board, best), *answers(False)][:MOST]
    found = [*_when_missed(board, best), *answers(_misses_quality(board, best))]
    return (found or ["Read what is missed in the leaderboard, and change the data, the goal or the limits."])[:MOST]


def _misses_quality(board: Board, candidate: Candidate) -> bool:
    goal, score = goal_value(board.goal), candidate.metrics.get(board.headline)
    value = number(score.value) if score else None
    return goal is not None and (value is None or is_better(board.headline, goal, value))


def _when_met(board: Board, best: Candidate) -> list[str]:
    steps = [
        "`windlass serve` answers with the release of it, which `windlass run` has made already; after `windlass "
        "evaluate` alone, `windlass release` makes it, with a model card."
    ]
    if doubtful_goal(board, best) is not None:
        score = interval(best.metrics[board.headline], board.units.get(board.headline, ""))
        steps.append(
            f"The goal {goal_value(board.goal):g} lies inside the 95 % interval {score}: more test rows would settle "
            "whether it is truly met."
        )
    return steps


def _when_missed(board: Board, best: Candidate) -> list[str]:
    steps = _quality_steps(board, best) if _misses_quality(board, best) else []
    for key, value, unit, cure in (
        ("latency_p95_ms", best.latency_p95_ms, "ms", "Allow a smaller learner, or raise the limit"),
        ("size_mb", best.size_mb, "MB", "Allow a smaller learner, or raise the limit"),
    ):
        limit, found = number(board.limits.get(key)), number(value)
        if limit is not None and found is not None and found > limit:
            steps.append(f"{cure} `{key}`: it is {measure(found, unit)}, the limit is {limit:g} {unit}.")
    return steps


def _quality_steps(board: Board, best: Candidate) -> list[str]:
    goal, score = goal_value(board.goal), best.metrics.get(board.headline)
    unit = plain(board.units.get(board.headline, ""))
    high = number(score.low if board.headline in LOWER else score.high) if score else None
    steps = []
    if goal is not None and high is not None and not is_better(board.headline, goal, high):
        steps.append(
            f"The goal {goal:g} lies inside the 95 % interval {interval(score, unit)}: it is close, and more test rows "
            "would show whether it is truly missed."
        )
    late = [plain(entry.get("name")) for entry in board.not_trained if entry.get("status") == "out of time"]
    if late:
        steps.append(f"Raise `minutes` in windlass.yaml: {', '.join(late)} did not fit the training budget.")
    absent = [plain(entry.get("name")) for entry in board.not_trained if entry.get("status") == "unavailable"]
    if absent:
        steps.append(f"Make {', '.join(absent)} available (the reason is under the leaderboard): it may score higher.")
    better = _better(board, best)
    if better is not None:
        steps.append(
            f"{plain(better.name)} reaches {metric_name(board.headline)} "
            f"{interval(better.metrics[board.headline], unit)} but misses: {plain('; '.join(better.misses))}."
        )
    return steps


def _better(board: Board, best: Candidate) -> Candidate | None:
    """A candidate with a higher headline than the chosen one, if a limit is all that stands against it."""
    mine = best.metrics.get(board.headline)
    found = [
        candidate
        for candidate in board.candidates
        if candidate is not best
        and candidate.misses
        and board.headline in candidate.metrics
        and mine is not None
        and (number(candidate.metrics[board.headline].value) or 0) > (number(mine.value) or 0)
        and not _misses_quality(board, candidate)
    ]
    return max(found, key=lambda candidate: candidate.metrics[board.headline].value, default=None)


def weakest(scores: list[ClassScore], pairs: list[Pair]) -> list[str]:
    """The label that is found worst, and the largest mix-up."""
    seen = [score for score in scores if score.rows]
    if not seen:
        return []
    weak = min(seen, key=lambda score: number(score.f1.value) or 0)
    pair = next((pair for pair in pairs if pair.truth == weak.label), None)
    mixed = f", {count(pair.count)} of them answered as {quoted(pair.answer)}" if pair else ""
    steps = [
        f"Look at {quoted(weak.label)} first: its F1 is {interval(weak.f1)} on {count(weak.rows)} "
        f"test rows{mixed}. "
        "More rows, and rows with the right label, help most there."
    ]
    if pairs:
        worst = pairs[0]
        steps.append(
            f"Read the most confident mistakes and correct wrong labels; the largest mix-up is "
            f"{quoted(worst.truth)} answered as {quoted(worst.answer)} ({count(worst.count)} rows, "
            f"{percent(worst.share)} of that label)."
        )
    return steps


def few_rows(scores: list[ClassScore]) -> list[str]:
    """Labels whose scores are rough, for want of test rows."""
    few = [score for score in scores if 0 < score.rows < FEW_ROWS]
    if not few:
        return []
    names = ", ".join(quoted(score.label, 24) for score in sorted(few, key=lambda score: score.rows)[:3])
    more = f" and {len(few) - 3} more" if len(few) > 3 else ""
    return [f"Fewer than {FEW_ROWS} test rows each for {names}{more}: their scores are rough until there are more."]
