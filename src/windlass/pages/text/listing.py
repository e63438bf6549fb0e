"""Short lists for the terminal: what a stage did, runs, releases, and what the doctor found."""

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from windlass.language.chosen import translated
from windlass.language.width import padded, width
from windlass.pages.text.progress import stage_name
from windlass.pages.text.words import count, duration, percent, plain, share
from windlass.records import Json, Run

SLOW_S, MOST_SPENT = 0.5, 4


def blueprints_text(found: Sequence[tuple[str, str, str]]) -> str:
    """Name, minutes of training and what it does, a line each, within 80 columns."""
    lines = [
        textwrap.fill(
            told,
            79,
            initial_indent=f"{name:<17} {minutes:>3} min  ",
            subsequent_indent=" " * 27,
            break_on_hyphens=False,
        )
        for name, minutes, told in found
    ]
    return "\n".join([*lines, "", "next: `windlass new NAME FOLDER`"])


def _documents(counts: dict[str, int]) -> str:
    """What became of the documents, where there are any: `; 27 documents, 180 passages (26 unchanged)`."""
    if not counts:
        return ""
    also = [f"{count(counts[word])} {word}" for word in ("unchanged", "removed", "rejected") if counts.get(word)]
    said = f"; {count(counts['documents'])} documents, {count(counts['passages'])} passages"
    return said + (f" ({', '.join(also)})" if also else "")


def _copies(runs: Sequence[Json]) -> str:
    """How many copies were made, or that none were asked for."""
    if not runs:
        return "no copy was asked for"
    return f"{sum(run['status'] == 'done' for run in runs)} of {len(runs)} copies"


def stage_line(word: str, skipped: bool, record: Json) -> str:
    """One line a stage of `windlass run`."""
    if skipped:
        return translated(f"{padded(stage_name(word), 9)} up to date")
    facts: dict[str, Callable[[], str]] = {
        "collect": lambda: (
            f"{count(record['rows_in'])} rows in = {count(record['accepted'])} accepted + "
            f"{count(record['rejected'])} rejected" + _documents(record.get("documents") or {})
        ),
        "prepare": lambda: (
            ", ".join(f"{name} {count(number)}" for name, number in record["rows"].items())
            + (f"; {count(sum(record['removed'].values()))} taken out" if record["removed"] else "")
        ),
        "train": lambda: (
            f"{sum(run['status'] == 'done' for run in record['runs'])} of {len(record['runs'])} candidates"
            + (", indexed anew: what was trained is kept" if any(run.get("renewed") for run in record["runs"]) else "")
        ),
        "compress": lambda: _copies(record["runs"]),
        "evaluate": lambda: record["chosen"],
        "explain": lambda: f"{len(record['rows'])} test rows: {record['report']}",
        "release": lambda: f"{record['id']} is the champion",
    }
    lines = [f"{padded(stage_name(word), 9)} {translated(facts[word]())}"]
    lines += [f"          note: {plain(warning)}" for warning in record.get("warnings", [])]
    if word == "collect" and record["rejected"]:
        lines += [
            f"          rejected: {plain(reason)} ({count(number)})" for reason, number in record["reasons"].items()
        ]
    return "\n".join(lines)


def runs_text(runs: Sequence[Run]) -> str:
    return table(
        [[run.name, run.status, duration(run.seconds), share(run.validation), plain(run.reason, 60)] for run in runs],
        ["candidate", "status", "time", "validation", ""],
    )


def releases_text(releases: Sequence[Json]) -> str:
    return table(
        [
            [
                "*" if item["champion"] else "",
                item["id"],
                plain(item["candidate"]),
                f"{item['headline']} {share(item['score']['value'])}",
                f"{item['size_mb']:.1f} MB",
                item["created"],
            ]
            for item in releases
        ],
        ["", "release", "candidate", "score", "size", "created"],
    )


def keys_text(keys: Sequence[Json]) -> str:
    """The API keys; a dash where there is no bound."""
    return table(
        [
            [
                key["name"],
                key["id"],
                key["state"],
                ", ".join(key["scopes"]),
                ", ".join(key["groups"]) or "-",
                key["expires"] or "-",
                key["rate"] or "-",
                f"{count(key['used'])} of {key['quota']}" if key["quota"] else "-",
            ]
            for key in keys
        ],
        ["key", "id", "state", "scopes", "groups", "expires", "rate", "used"],
    )


def trail_text(entries: Sequence[Json]) -> str:
    """What happened to the champion, oldest first."""
    return table(
        [
            [
                entry["at"],
                entry["event"],
                entry["from"] or "none",
                entry["to"],
                _measured(entry["evidence"]),
                f"{entry['user']}: {entry['command']}",
                plain(entry["reason"], 80),
            ]
            for entry in entries
        ],
        ["when", "what", "from", "to", "measured", "who", "why"],
    )


def _measured(evidence: Json) -> str:
    if "value" not in evidence:
        return ""
    return f"{evidence['metric']} {share(evidence['value'])} [{share(evidence['low'])}, {share(evidence['high'])}]"


def doctor_text(parts: Sequence[Json]) -> str:
    lines = [
        f"{padded(translated('works' if part['works'] else 'missing'), 7)}  {padded(translated(part['feature']), 38)} "
        f"{part['versions'] or translated(part['advice'])}"
        for part in parts
    ]
    lacking = [part for part in parts if not part["works"]]
    return "\n".join(
        [*lines, "", "everything works" if not lacking else f"{len(lacking)} parts are missing; the others work"]
    )


def spent_text(parts: Sequence[Json], spent: Sequence[tuple[str, float, str]]) -> str:
    """Where the time went: loading, and of the project here each stage, with the candidates that took longest.

    spent: (name, seconds, stage that it is within, or empty).
    """
    slow = sorted((part for part in parts if part["seconds"] >= SLOW_S), key=lambda part: -part["seconds"])[:MOST_SPENT]
    loading = ", ".join(f"{part['feature']} {duration(part['seconds'])}" for part in slow)
    lines = ["", "", f"loading takes: {loading}"] if slow else []
    stages = [(name, seconds) for name, seconds, inside in spent if not inside]
    if stages:
        whole = sum(seconds for _, seconds in stages)
        lines += ["", f"the last run of each stage here took {duration(whole)} on this machine:"]
        lines += [_spent(name, seconds, whole, spent) for name, seconds in stages]
    return "\n".join(lines)


def _spent(name: str, seconds: float, whole: float, spent: Sequence[tuple[str, float, str]]) -> str:
    within = sorted(((taken, each) for each, taken, inside in spent if inside == name), reverse=True)[:MOST_SPENT]
    most = ", ".join(f"{plain(each, 24)} {duration(taken)}" for taken, each in within)
    return f"  {name:<9} {duration(seconds):>8} {percent(seconds / whole if whole else 0):>7}  {most}".rstrip()


def table(rows: Sequence[Sequence[Any]], heads: Sequence[str]) -> str:
    """Left-aligned columns under their heads."""
    cells = [[translated(str(cell)) for cell in row] for row in (heads, *rows)]
    widths = [max(width(row[place]) for row in cells) for place in range(len(heads))]
    return "\n".join(
        "  ".join(padded(cell, wide) for cell, wide in zip(row, widths, strict=True)).rstrip() for row in cells
    )
