"""What `improving.py` measured, as Markdown and as goals."""

from collections.abc import Sequence

from goals import Goal

MOST_ASIDE, MOST_BEHIND, LEAST_NEW = 0.10, 0.03, 30
"""Share of right corrections that may be set aside, points that the end may be behind the oracle, and right rows that
a week must have to be expected to learn."""


def table(found: dict, n_hostile: int, noise: float, n_honest: int) -> str:
    """All parts that were measured."""
    lines = [
        "# improve: ten weeks on intent-banking77",
        "",
        f"{found['machine']}; {found['date']}; `python benchmarks/improving.py`. Learner: linear. A fifth of the 77 "
        f"labels arrives in weeks 2 to 6, {noise:.0%} of the feedback is wrong, one key of {n_honest + 1} is hostile: "
        f"{n_hostile} rows a week. Accuracy on the set's own 3,080 test rows, which the product never sees.",
        "",
    ]
    for seed, weeks in found.get("weeks", {}).items():
        lines += _weeks(seed, weeks, noise)
    lines += _poison(found["poison"]) if "poison" in found else []
    lines += _hostile(found["hostile"]["each"]) if "hostile" in found else []
    if "live" in found:
        each = found["live"]
        lines += [
            f"- p99 of the service {each['alone']['p99_ms']} ms alone, {each['beside']['p99_ms']} ms while retraining "
            f"({each['retraining_s']} s), {each['ratio_p99']} times, on {each['cores']} core(s)."
        ]
    return "\n".join(lines) + "\n"


def share_aside(week: dict) -> float:
    return week["corrections_aside"] / max(1, week["corrections"])


def idle(weeks: Sequence[dict]) -> list[int]:
    """The weeks that learned nothing though enough right rows were new."""
    before = 0
    found = []
    for week in weeks:
        if week["right"] - before >= LEAST_NEW and not week["learned"]:
            found.append(week["week"])
        before = week["right_in_use"]
    return found


def behind(result: dict) -> float:
    return result["oracle"]["accuracy"] - result["weeks"][-1]["accuracy"]


def _weeks(seed: str, result: dict, noise: float) -> list[str]:
    frozen, weeks, best, last = result["frozen"], result["weeks"], result["oracle"], result["weeks"][-1]
    gain, old = (100 * (last[name] - frozen[at]) for name, at in (("accuracy", "all"), ("accuracy_old_labels", "old")))
    return [
        f"## Seed {seed}",
        "",
        "| week | verdict | learned | of them right | judging | right corrections set aside | all labels | labels of "
        "the start |",
        "|---|---|---|---|---|---|---|---|",
        f"| 0 (frozen) | | | | | | {frozen['all']:.3f} | {frozen['old']:.3f} |",
        *(
            f"| {week['week']} | {week['verdict']} | {week['learned']} | {week['learned_right']} | {week['judging']} | "
            f"{week['corrections_aside']} of {week['corrections']:,} ({share_aside(week):.1%}) | "
            f"{week['accuracy']:.3f} | {week['accuracy_old_labels']:.3f} |"
            for week in weeks
        ),
        f"| oracle | | {best['rows']:,} | {best['rows']:,} | | | {best['accuracy']:.3f} | "
        f"{best['accuracy_old_labels']:.3f} |",
        "",
        f"- At the end {gain:+.1f} points over the frozen model (asked: at least +5); labels of the start {old:+.1f} "
        f"(asked: at least -1); {100 * behind(result):.1f} points behind the oracle, the same learner taught the true "
        f"labels of all {best['rows']:,} rows (asked: at most 3).",
        f"- Of {result['labels']['learned']:,} rows that were learned {result['labels']['wrong_share']:.1%} have a "
        f"wrong label (of the feedback: {noise:.0%} of the honest, all of the hostile); rows of the hostile key among "
        f"them: {last['hostile_learned_so_far']}.",
        "",
    ]


def _poison(poison: dict) -> list[str]:
    return [
        f"- Poisoned batches promoted: {poison['promoted']} of {poison['batches']} (24 stolen keys, nothing true); of "
        f"subtle ones (a label renamed, the label that is nearest in words) {poison['subtle_promoted']} of "
        f"{poison['subtle']}. Control, all believed and all promoted: {poison['unguarded_promoted']} of "
        f"{poison['controls']}, {poison['unguarded_points']:+.1f} points on the labels of the start, on average."
    ]


def _hostile(each: Sequence[dict]) -> list[str]:
    last = {(row["kind"], row["keys"]): row for row in each}
    sent = {key: sum(row["lies"] for row in each if (row["kind"], row["keys"]) == key) for key in last}
    told = [
        f"{kind}, {keys} key(s): {row['lies_learned_so_far']} of {sent[kind, keys]} lies learned, "
        f"{row['points']:+.1f} points"
        for (kind, keys), row in last.items()
    ]
    return [f"- Keys that lie beside honest ones, after {max(row['week'] for row in each)} weeks: {'; '.join(told)}."]


def goals(part: str, found: dict) -> list[Goal]:
    """The rows of the part for `results/goals.json`."""
    if part == "weeks":
        return _weeks_goals(found["weeks"])
    if part == "poison":
        poison = found["poison"]
        value = f"{poison['promoted']} of {poison['batches']}; subtle {poison['subtle_promoted']} of {poison['subtle']}"
        return [
            Goal(
                "mended",
                "the loop: poisoned batches promoted",
                "0 of 20",
                value,
                poison["promoted"] + poison["subtle_promoted"] == 0,
            )
        ]
    if part == "hostile":
        each = found["hostile"]["each"]
        loud = [row["lies_learned_so_far"] for row in each if row["kind"] == "turned"]
        return [
            Goal(
                "mended",
                "the loop: rows of loud hostile keys learned",
                "0",
                str(max(loud)),
                not any(loud),
                " ".join(_hostile(each)),
            )
        ]
    return []


def _weeks_goals(results: dict) -> list[Goal]:
    seeds = f"seeds {', '.join(results)}"
    worst = {seed: max(share_aside(week) for week in each["weeks"]) for seed, each in results.items()}
    empty = {seed: idle(each["weeks"]) for seed, each in results.items()}
    gaps = {seed: behind(each) for seed, each in results.items()}
    hostile = max(each["weeks"][-1]["hostile_learned_so_far"] for each in results.values())
    return [
        Goal(
            "mended",
            "the loop: right corrections set aside after any week",
            "at most 10 %",
            ", ".join(f"{share:.1%}" for share in worst.values()),
            max(worst.values()) <= MOST_ASIDE,
            seeds,
        ),
        Goal(
            "mended",
            "the loop: weeks that learn nothing while 30 right rows are new",
            "0 of 10",
            ", ".join(f"{len(weeks)} of {len(results[seed]['weeks'])}" for seed, weeks in empty.items()),
            not any(empty.values()),
            seeds,
        ),
        Goal(
            "mended",
            "the loop: behind the oracle at the end",
            "at most 3 points",
            ", ".join(f"{100 * gap:.1f}" for gap in gaps.values()),
            max(gaps.values()) <= MOST_BEHIND,
            seeds,
        ),
        Goal(
            "mended", "the loop: rows of the hostile key learned in ten weeks", "0", str(hostile), hostile == 0, seeds
        ),
    ]
