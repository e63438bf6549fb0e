"""Writes the sample data of the summariser blueprint: reports and notes, and the one sentence that matters of each.

Source: sentences written by hand for this project (tools/blueprint_text/summariser_*.txt), Apache-2.0.
"""

import json
import random
from pathlib import Path

import message_writer as writer
from scene_writer import Scene, polished, together

SEED = 13
TARGET = Path(__file__).parents[1] / "src/windlass/blueprints/summariser/data/reports.jsonl"
N_REPORTS = {"en": 1_150, "zh": 450}
OPENING_SHARE = 0.7
N_EXTRAS = (1, 1, 2, 2, 3)

Row = dict[str, str]


def kinds_of(sections: dict[str, list[str]]) -> dict[str, dict[str, list[str]]]:
    """kind of report -> openings, facts, extras and summaries."""
    kinds: dict[str, dict[str, list[str]]] = {}
    for name, lines in sections.items():
        if not lines[0].startswith("opening: "):
            continue
        parts = kinds.setdefault(name, {})
        for line in lines:
            role, text = line.split(": ", 1)
            parts.setdefault(role, []).append(text)
    return kinds


def report(kind: str, parts: dict[str, list[str]], sections: dict[str, list[str]], rng: random.Random) -> Row:
    """One report: what matters may stand anywhere in it, among what does not."""
    scene = Scene(sections, kind, rng)
    summary = polished(scene.tell(rng.choice(parts["summary"])))
    summarised = list(scene.facts)
    body = [scene.tell(rng.choice(fact.split(" || "))) for fact in parts["fact"]]
    body += [scene.tell(extra) for extra in rng.sample(parts["extra"], rng.choice(N_EXTRAS))]
    rng.shuffle(body)
    if rng.random() < OPENING_SHARE:
        body.insert(0, scene.tell(rng.choice(parts["opening"])))
    text = together(body)
    missing = [name for name in summarised if polished(scene.facts[name])[1:] not in text]
    assert not missing, f"{kind}: the summary tells {missing}, the report does not"
    return {"report": text, "summary": summary}


def write_reports(language: str, rng: random.Random) -> list[Row]:
    """Different reports with different summaries, as many of each kind."""
    sections = writer.read_sections(f"summariser_{language}.txt")
    kinds = kinds_of(sections)
    rows: dict[str, Row] = {}
    while len(rows) < N_REPORTS[language]:
        kind = list(kinds)[len(rows) % len(kinds)]
        row = report(kind, kinds[kind], sections, rng)
        if row["summary"] not in rows:
            rows[row["summary"]] = row
    return list(rows.values())


def main(target: Path = TARGET) -> None:
    """Write the file and say what is in it."""
    rng = random.Random(SEED)
    rows = [row for language in N_REPORTS for row in write_reports(language, rng)]
    rng.shuffle(rows)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    mean = sum(len(row["report"]) for row in rows) / len(rows)
    print(f"{target}: {len(rows)} reports of {mean:.0f} characters on average, {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
