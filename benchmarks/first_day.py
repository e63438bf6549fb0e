"""What somebody does on the first day, by commands and clients: a correction, a notebook, OpenAI's client, a plan.

Usage: python benchmarks/first_day.py [correction notebook openai roadmap]
correction: a message is answered wrongly, feedback says so with others of its topic, `windlass improve` learns, the
service answers rightly without being started again. notebook: docs/notebooks/table.ipynb from top to bottom.
openai: the official client asks the blueprint chatbot and gets an answer of its training. roadmap: the first item of
`windlass plan --json` names what to do, its gain with an interval and its cost. Writes rows of results/goals.json; some
five minutes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from goals import Goal, record
from owner_pages import served, windlass

ISSUE = "friendly"
HOME = Path(__file__).resolve().parent.parent
NEW = [f"my {thing} {what} and I want it {done}" for thing in ("drone", "scooter", "kayak", "tent", "boot", "helmet")
       for what in ("makes a strange noise", "fell apart", "lost a screw", "leaks", "is scratched")
       for done in ("mended", "repaired", "fixed by your workshop")]  # fmt: skip
LABEL = "warranty_repair"


def asked(port: int, path: str, body: Any) -> Any:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(),
                                     {"content-type": "application/json"})  # fmt: skip
    with urllib.request.urlopen(request, timeout=120) as response:
        return json.loads(response.read())


def made(folder: Path, blueprint: str, learners: str) -> Path:
    """The blueprint, quick: with these learners, without a goal and limits."""
    windlass(folder, "new", blueprint)
    project = folder / blueprint
    spec = project / "windlass.yaml"
    kept = [line for line in spec.read_text("utf-8").splitlines()
            if not line.startswith(("learners:", "goal:", "limits:"))]  # fmt: skip
    spec.write_text("\n".join([*kept, f"learners: {learners}"]) + "\n", "utf-8")
    windlass(project, "run")
    return project


def correction(folder: Path) -> Goal:
    project = made(folder, "support-desk", "[linear]")
    known, asked_last = NEW[:-3], NEW[-3:]
    with served(project) as port:
        given = asked(port, "/v1/predict", {"rows": [{"message": text} for text in [*known, *asked_last]]})["answers"]
        before = [each["value"] for each in given[-3:]]
        for each in given[: len(known)]:
            asked(port, "/v1/feedback", {"id": each["id"], "correct": LABEL})
        spec = project / "windlass.yaml"
        if "caller_share" not in spec.read_text("utf-8"):  # one person alone corrects here
            spec.write_text(spec.read_text("utf-8") + "improve: {caller_share: 1}\n", "utf-8")
        order = [sys.executable, "-m", "windlass", "improve", "--json"]
        said = subprocess.run(order, cwd=project, capture_output=True, text=True, check=False)
        found = json.loads(said.stdout) if said.stdout.strip().startswith("{") else {"verdict": said.stderr[-200:]}
        verdict = f"{found['verdict']}: {found.get('why', '')}"
        until, after = time.monotonic() + 30, before
        while after == before and time.monotonic() < until:
            time.sleep(1)
            rows = asked(port, "/v1/predict", {"rows": [{"message": text} for text in asked_last]})["answers"]
            after = [each["value"] for each in rows]
    met = before.count(LABEL) < 2 and after.count(LABEL) == len(after)
    return Goal(ISSUE, "a correction that teaches", "messages of a new topic, themselves not corrected, are answered "
                "rightly by the running service", f"{before} -> {after}, improve: {verdict}", met,
                f"{len(known)} corrections of others of the topic")  # fmt: skip


def notebook(folder: Path) -> Goal:
    import nbclient
    import nbformat

    book = nbformat.read(HOME / "docs/notebooks/table.ipynb", as_version=4)
    began = time.monotonic()
    nbclient.NotebookClient(book, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    shown = [output for cell in book.cells for output in cell.get("outputs", ())]
    tables = sum("text/html" in output.get("data", {}) for output in shown)
    faults = [output for output in shown if output.output_type == "error"]
    return Goal(ISSUE, "a notebook with pandas", "runs from top to bottom and shows its tables",
                f"{len(book.cells)} cells, {tables} tables, {len(faults)} faults, {time.monotonic() - began:.0f} s",
                tables > 0 and not faults)  # fmt: skip


def openai(folder: Path) -> Goal:
    from openai import OpenAI

    project = made(folder, "chatbot", "[retrieve]")
    with served(project) as port:
        client = OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0)
        model = client.models.list().data[0].id
        first = next((project / "data").glob("*.jsonl")).read_text("utf-8").splitlines()[0]
        question = json.loads(first)["messages"][:1]
        answer = client.chat.completions.create(model=model, messages=question)
        stream = client.chat.completions.create(model=model, messages=question, stream=True)
        parts = [part.choices[0].delta.content or "" for part in stream if part.choices]
    whole = answer.choices[0].message.content or ""
    return Goal(ISSUE, "OpenAI's client against the chat product", "an answer, and the same one streamed",
                f"{whole[:80]!r}; streamed the same: {''.join(parts) == whole}",
                bool(whole) and "".join(parts) == whole)  # fmt: skip


def roadmap(folder: Path) -> Goal:
    project = made(folder, "support-desk", "[linear]")
    order = [sys.executable, "-m", "windlass", "plan", "--json"]
    plan = json.loads(subprocess.run(order, cwd=project, capture_output=True, text=True, check=True).stdout)
    first = plan["items"][0]
    measured = next(each for each in plan["items"] if each["gain"])
    gain = measured["gain"]
    told = f"{gain['value']:.3f} [{gain['low']:.3f}, {gain['high']:.3f}]"
    met = bool(first["what"] and first["benefit"] and first["hours"]) and gain["low"] <= gain["value"] <= gain["high"]
    value = (
        f"first: {first['what']}; {first['benefit']}; {first['cost']:.0f} {plan['currency']}, {first['hours']} hours. "
        f"Measured: {measured['what']}: {told}, {measured['cost']:.0f} {plan['currency']}"
    )
    goal = "named; of the first that is measured with an interval"
    return Goal(ISSUE, "the roadmap's first item, its gain and its cost", goal, value, met)


PARTS: dict[str, Callable[[Path], Goal]] = {
    "correction": correction,
    "notebook": notebook,
    "openai": openai,
    "roadmap": roadmap,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=list(PARTS))
    for part in parser.parse_args().parts:
        with tempfile.TemporaryDirectory() as name:
            record(PARTS[part](Path(name)))


if __name__ == "__main__":
    main()
