"""What the leaderboard says about each candidate, the same in the terminal and on the page."""

from dataclasses import dataclass

from windlass.metrics.measures import LOWER, doubtful_end
from windlass.metrics.numbers import COVERAGE, SHARE
from windlass.pages.text.words import (
    NOTHING,
    aligned,
    count,
    duration,
    goal_value,
    interval,
    metric_name,
    number,
    percent,
    plain,
    quoted,
    share,
)
from windlass.records import Board, Candidate

MARK = "★"
MET, MISSED = "✓", "✗"
SPELLED_OUT = frozenset({"validation", "accuracy", "macro_f1", "calibration"})
BESIDE = {
    "accuracy": "acc.",
    "macro_f1": "m-F1",
    "micro_f1": "µ-F1",
    "map": "mAP",
    "subset_accuracy": "all tags",
    "pass_at_1": "pass@1",
    "rules_broken": "rules",
    "chrf": "chrF",
    "bleu": "BLEU",
    "rouge_l": "R-L",
    "token_f1": "F1",
    "bits_per_byte": "bits/B",
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R²",
    "coverage_90": "in 90 %",
    "mape": "MAPE",
    "width_90": "width",
    "cost": "cost",
    "distinct_2": "varied",
    "repetition": "repeats",
    "found_within_a_day": "found",
    "false_alarms_a_month": "false/mo.",
    "delay_hours": "delay h",
    "mrr": "MRR",
    "recall_at_10": "R@10",
    "hit_rate_at_10": "hit@10",
    "coverage": "shown",
    "recall_at_1": "R@1",
    "recall_at_5": "R@5",
    "answer_f1": "F1",
    "risk": "risk",
    "answered": "answered",
    "map50_95": "mAP50-95",
    "box_f1": "F1",
    "count_error": "count off",
    "mask_iou": "IoU",
    "instance_ap": "AP",
    "boundary_error": "outline px",
}
"""The metrics that stand beside the headline, with their short names."""
NEAR = 0.7  # share of the best score that counts as near it


@dataclass(frozen=True)
class Heading:
    """One column of the leaderboard: its head, its unit, what it means, and a cell for each candidate."""

    key: str
    head: str
    unit: str
    meaning: str
    cells: list[str]

    @property
    def name(self) -> str:
        """The head in full, for where there is room."""
        return metric_name(self.key) if self.key in SPELLED_OUT else self.head


def scores_are(board: Board) -> str:
    return "less is better" if board.headline in LOWER else "scores are shares 0–1"


def chosen(board: Board) -> Candidate | None:
    """The candidate that was chosen, or nothing when none was trained."""
    return next((candidate for candidate in board.candidates if candidate.name == board.chosen), None)


def headings(board: Board) -> list[Heading]:
    """The columns that follow the candidate's name, the headline metric first."""
    found = board.candidates
    head, is_share = metric_name(board.headline), _measured_in(board, board.headline)
    unit = plain(board.units.get(board.headline, ""))
    columns = [
        Heading(
            "headline",
            head,
            unit,
            f"{head} on the test rows{is_share}, with its 95 % interval",
            [interval(candidate.metrics.get(board.headline)) for candidate in found],
        ),
        Heading(
            "validation",
            "val.",
            unit,
            f"{head} on the validation rows{is_share}",
            [share(candidate.validation) for candidate in found],
        ),
    ]
    for metric, short in BESIDE.items():
        if metric != board.headline and any(metric in candidate.metrics for candidate in found):
            cells = [
                share(candidate.metrics[metric].value) if metric in candidate.metrics else NOTHING
                for candidate in found
            ]
            meaning = f"{metric_name(metric)} on the test rows{_measured_in(board, metric)}"
            columns.append(Heading(metric, short, plain(board.units.get(metric, "")), meaning, cells))
    known = any(candidate.calibration_error is not None for candidate in found)
    columns += [heading for heading in _costs(found) if known or heading.key != "calibration"]
    return [*columns, _goal(board)]


def _measured_in(board: Board, metric: str) -> str:
    """The unit of a metric, as the end of a sentence on it."""
    if metric in board.units:
        return f", in {plain(board.units[metric])}"
    return "" if metric in LOWER else ", a share 0-1"


def _costs(found: list[Candidate]) -> list[Heading]:
    return [
        Heading(
            "p50",
            "p50",
            "ms",
            "median time of one answer, in milliseconds",
            aligned(candidate.latency_p50_ms for candidate in found),
        ),
        Heading(
            "p95",
            "p95",
            "ms",
            "95th percentile of the time of one answer, in milliseconds",
            aligned(candidate.latency_p95_ms for candidate in found),
        ),
        Heading(
            "answers",
            "answers",
            "/s",
            "answers a second, asked in batches",
            [_rate(candidate.answers_per_second) for candidate in found],
        ),
        Heading(
            "size",
            "size",
            "MB",
            "size of the artifact on disk, in megabytes",
            aligned(candidate.size_mb for candidate in found),
        ),
        Heading(
            "train", "train", "time", "time that training took", [duration(candidate.seconds) for candidate in found]
        ),
        Heading(
            "calibration",
            "cal.",
            "error",
            "mean gap between confidence and accuracy, a share 0-1",
            [share(candidate.calibration_error) for candidate in found],
        ),
    ]


def goal_asked(board: Board) -> str:
    """What a candidate is held to, as the beginning of a sentence; empty: neither a number in the goal nor a limit."""
    has_goal, has_limits = goal_value(board.goal) is not None, any(number(each) for each in board.limits.values())
    if has_goal and has_limits:
        return "Goal and limits are"
    return "The goal is" if has_goal else "The limits are" if has_limits else ""


def _goal(board: Board) -> Heading:
    met = MET if goal_asked(board) else NOTHING
    cells = [met if candidate.meets_goal else MISSED for candidate in board.candidates]
    return Heading("goal", "goal", "", "goal and limits met?", cells)


def _rate(value: object) -> str:
    found = number(value)
    return f"{found / 1000:,.0f}k" if found is not None and found >= 100_000 else count(value)


def contest(board: Board) -> tuple[float, float]:
    """The range of the headline metric, with intervals and goal, of those that come near the best one.

    A baseline far below would otherwise press all the others together; pictures show it as off the scale.
    """
    scores = [
        candidate.metrics[board.headline]
        for candidate in board.candidates
        if board.headline in candidate.metrics and number(candidate.metrics[board.headline].value) is not None
    ]
    values = [score.value for score in scores] or [1.0]
    best, is_low = (min(values), True) if board.headline in LOWER else (max(values), False)
    near = [score for score in scores if (score.value <= best / NEAR if is_low else score.value >= NEAR * best)]
    ends = [
        found
        for score in near
        for value in (score.value, score.low, score.high)
        if (found := number(value)) is not None
    ]
    goal = goal_value(board.goal)
    ends = [*ends, *([] if goal is None else [goal])] or [0.0, 1.0]
    return min(ends), max(ends)


def ties(board: Board) -> list[str]:
    """One sentence for each candidate that the test rows cannot tell from the chosen one."""
    return [f"{name} is statistically as good (95 %)" for name in equals(board)]


def equals(board: Board) -> list[str]:
    """The names of those candidates."""
    return [
        plain(candidate.name)
        for candidate in board.candidates
        if candidate.as_good_as_chosen and candidate.name != board.chosen
    ]


def trained_so(board: Board) -> list[tuple[str, str]]:
    """The candidates that have something to say of how they were trained or decide, each with that."""
    told = [(each.name, [*each.notes, *_decides(each)]) for each in board.candidates]
    return [(plain(name), "; ".join(map(plain, notes))) for name, notes in told if notes]


def _decides(candidate: Candidate) -> list[str]:
    return [
        f"answers '{label}' from a probability of {share:g} on (`threshold` in windlass.yaml sets another one)"
        for label, share in candidate.threshold.items()
    ]


def misses(board: Board) -> list[tuple[str, str]]:
    """The candidates that miss goal or limits, each with what it misses."""
    return [
        (plain(candidate.name), "; ".join(plain(miss) for miss in candidate.misses))
        for candidate in board.candidates
        if not candidate.meets_goal and candidate.misses
    ]


def doubtful_goal(board: Board, candidate: Candidate) -> float | None:
    """Where the interval of the candidate's score ends, when that misses the goal although the score meets it."""
    goal, score = goal_value(board.goal), candidate.metrics.get(board.headline)
    if goal is None or score is None or None in map(number, (score.value, score.low, score.high)):
        return None
    return doubtful_end(board.headline, score, goal)


def coverage(board: Board) -> list[tuple[str, str]]:
    """The candidates whose intervals surely do not hold as many right numbers as they promise, each with what was
    measured."""
    return [
        (plain(candidate.name), f"its {percent(SHARE)} intervals are {words}: {held} of the right numbers lie inside")
        for candidate in board.candidates
        for words, held in [miscovered(candidate)]
        if words
    ]


def miscovered(candidate: Candidate) -> tuple[str, str]:
    """'too narrow' or 'too wide', and the share that lies inside, where its interval excludes what is promised."""
    found = candidate.metrics.get(COVERAGE)
    if found is None or None in map(number, (found.value, found.low, found.high)) or found.low <= SHARE <= found.high:
        return "", ""
    held = f"{percent(found.value)} [{percent(found.low)}, {percent(found.high)}]"
    return "too narrow" if found.high < SHARE else "too wide", held


def not_trained(board: Board) -> list[tuple[str, str]]:
    """The candidates that were not trained, each with its reason."""
    found = []
    for entry in board.not_trained:
        status, reason = plain(entry.get("status") or ""), plain(entry.get("reason") or "")
        name = plain(entry.get("name") or entry.get("learner") or "?")
        found.append((name, ": ".join(part for part in (status, reason) if part) or "no reason given"))
    return found


def headline_sentence(board: Board) -> str:
    """What was chosen, how good and how fast it is, and whether that is good enough, in one sentence."""
    best = chosen(board)
    if best is None:
        return f"No candidate was trained for {quoted(board.product)}, so there is nothing to release."
    score = interval(best.metrics.get(board.headline), board.units.get(board.headline, ""))
    speed = aligned([best.latency_p95_ms])[0]
    return (
        f"{plain(best.name)} was chosen: {metric_name(board.headline)} {score} on {count(board.n_test)} "
        f"test rows, 95 % of answers within {speed} ms."
    )
