"""Short lists for the terminal: what a stage did, runs, releases, and what the doctor found."""

from collections.abc import Callable, Sequence
from typing import Any

from windlass.language.chosen import translated
from windlass.language.width import padded, width
from windlass.pages.text.words import count, duration, plain, share
from windlass.records import Json, Run


def _documents(counts: dict[str, int]) -> str:
    """What became of the documents, where there are any: `; 27 documents, 180 passages (26 unchanged)`."""
    if not counts:
        return ""
    also = [f"{count(counts[word])} {word}" for word in ("unchanged", "removed", "rejected") if counts.get(word)]
    said = f"; {count(counts['documents'])} documents, {count(counts['passages'])} passages"
    return said + (f" ({', '.join(also)})" if also else "")


def stage_line(word: str, skipped: bool, record: Json) -> str:
    """One line a stage of `windlass run`."""
    if skipped:
        return f"{word:<9} up to date"
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
        "evaluate": lambda: record["chosen"],
        "explain": lambda: f"{len(record['rows'])} test rows: {record['report']}",
        "release": lambda: f"{record['id']} is the champion",
    }
    lines = [f"{word:<9} {translated(facts[word]())}"]
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


def table(rows: Sequence[Sequence[Any]], heads: Sequence[str]) -> str:
    """Left-aligned columns under their heads."""
    cells = [[translated(str(cell)) for cell in row] for row in (heads, *rows)]
    widths = [max(width(row[place]) for row in cells) for place in range(len(heads))]
    return "\n".join(
        "  ".join(padded(cell, wide) for cell, wide in zip(row, widths, strict=True)).rstrip() for row in cells
    )
