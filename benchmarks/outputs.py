"""What [outputs] asked for: the toy, the checks, who asks for kinds, old projects, demo and CI of a fresh clone.

Usage: python benchmarks/outputs.py [--parts checks asks old demo ci touched] [--house ../shared/tools/house.py]
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from goals import Goal, record

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT.parent / "shared" / "tools" / "house.py"
PARTS = ("checks", "asks", "old", "demo", "ci", "touched")
MOST_ASKS, MOST_DEMO_S, MOST_CI_S = 5, 240, 1_500


def tested(*paths: str) -> tuple[bool, str]:
    """Whether these tests pass, and what pytest says of them in its last line."""
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist", *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout.strip().splitlines()[-1].strip("= ")


def checks() -> Goal:
    passed, said = tested("tests/outputs", "tests/test_architecture.py")
    return Goal("outputs", "the toy's walk, check_output and the architecture tests", "all pass", said, passed)


def old() -> Goal:
    passed, said = tested("tests/serving/test_old_projects.py")
    return Goal("outputs", "the old project opens, serves, improves", "all pass", said, passed)


def asks(house: Path) -> Goal:
    """Counted by the shared tool's own pattern."""
    source = house.read_text("utf-8")
    pattern = plain_pattern(re.search(r'^ASKS = re\.compile\(r"(.*)"\)$', source, re.MULTILINE))
    found = [
        f"{path.relative_to(ROOT / 'src/windlass')}:{number}"
        for path in sorted((ROOT / "src/windlass").rglob("*.py"))
        if path.relative_to(ROOT / "src/windlass").parts[0] not in ("kinds", "outputs")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(pattern, line)
    ]
    return Goal("outputs", "lines outside kinds/ and outputs/ that ask for a kind", f"at most {MOST_ASKS}",
                f"{len(found)}: {', '.join(found)}", len(found) <= MOST_ASKS)  # fmt: skip


def plain_pattern(found: "re.Match[str] | None") -> str:
    """The pattern as the tool has it, its escaped quotes made plain. Raises: SystemExit: the tool has none."""
    if found is None:
        sys.exit("house.py has no pattern ASKS, expected one")
    return found[1].replace('\\"', '"')


def fresh(*command: str) -> tuple[float, int, str]:
    """Seconds, exit code and the end of what a command says in a fresh clone."""
    with tempfile.TemporaryDirectory() as place:
        clone = Path(place) / "windlass"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        if (ROOT.parent / "shared").is_dir():
            (Path(place) / "shared").symlink_to(ROOT.parent / "shared")
        started = time.perf_counter()
        both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        done = subprocess.run(command, cwd=clone, text=True, check=False, **both)
        seconds = time.perf_counter() - started
        if shutil.which("make") and (clone / "demo").exists():
            subprocess.run(["make", "stop"], cwd=clone, capture_output=True, check=False)
        return seconds, done.returncode, done.stdout.strip()[-20_000:]


def timed(name: str, most_s: float, *command: str, issue: str = "outputs") -> Goal:
    seconds, code, said = fresh(*command)
    last = said.splitlines()[-1] if said else ""
    if code:
        print(said, file=sys.stderr)
    return Goal(issue, name, f"at most {most_s / 60:g} minutes, installation included",
                f"{seconds / 60:.1f} minutes, exit {code}; {last[:160]}", code == 0 and seconds <= most_s)  # fmt: skip


def touched(first: str, last: str, tables: tuple[str, ...]) -> Goal:
    """Files of the package that number's own commits changed, beside its own folder, files and the tables."""
    command = ["git", "log", "--first-parent", "--no-merges", "--format=", "--name-only", f"{first}..{last}", "--"]
    done = subprocess.run([*command, "src/windlass"], cwd=ROOT, capture_output=True, text=True, check=True)
    changed = sorted({line.removeprefix("src/windlass/") for line in done.stdout.splitlines() if line})
    own = re.compile(r"outputs/numbers/|kinds/number|number_metrics|predictors/estimator|regressor|learners/ridge")
    other = [path for path in changed if not own.search(path) and path not in tables]
    return Goal("outputs", "files that `number` touched outside its own folder and tables", "0, reasons for each",
                f"{len(other)}: {', '.join(other)}", not other,
                "the reasons stand in the closing note; most gave labels a name that numbers share")  # fmt: skip


TABLES = ("kinds/table.py", "outputs/table.py", "predictors/table.py", "learners/table.py", "learners/aims.py",
          "sources/answers.py", "sources/guess.py")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--house", type=Path, default=HOUSE)
    parser.add_argument("--number", nargs=2, default=("7814125", "017922e"), help="commits that `number` lies between")
    options = parser.parse_args()
    made = {
        "checks": checks,
        "asks": lambda: asks(options.house),
        "old": old,
        "demo": lambda: timed("`make demo` from a fresh clone", MOST_DEMO_S, "make", "demo"),
        "ci": lambda: timed("`.ci/run` from a fresh clone", MOST_CI_S, ".ci/run"),
        "touched": lambda: touched(*options.number, TABLES),
    }
    for part in options.parts:
        record(made[part]())


if __name__ == "__main__":
    main()
