"""Writes the repair exercises of the code-helper blueprint; tests/test_blueprint_data.py runs their tests.

Source: functions written by hand for this project, Apache-2.0.
"""

import json
from pathlib import Path

TARGET = Path(__file__).parents[1] / "src/windlass/blueprints/code-helper/tasks.jsonl"
TEXT = Path(__file__).parent / "blueprint_text/code_helper.txt"


def read_tasks(text: str) -> list[dict[str, str | list[str]]]:
    """The tasks of the text file: a name, the right function, one change to it, and tests."""
    tasks = []
    for block in text.split("\n=== ")[1:]:
        title, rest = block.split("\n", 1)
        fixed, change, tests = (part.strip("\n") for part in rest.split("\n---\n"))
        wrong, right = (line.split(": ", 1)[1] for line in change.splitlines())
        if fixed.count(right) != 1:
            raise ValueError(f"'{title}' holds {right!r} {fixed.count(right)} times, expected once")
        broken = fixed.replace(right, wrong)
        tasks.append({"task": title, "broken": broken, "tests": tests.strip(), "fixed": fixed})
    return tasks


def main(target: Path = TARGET) -> None:
    """Write the file and say how many exercises are in it."""
    tasks = read_tasks(TEXT.read_text(encoding="utf-8"))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("".join(json.dumps(task) + "\n" for task in tasks), encoding="utf-8")
    print(f"{target}: {len(tasks)} exercises")


if __name__ == "__main__":
    main()
