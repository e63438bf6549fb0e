"""`windlass init`: guesses the spec, and asks in the terminal where two readings of the data are close."""

import sys
from pathlib import Path

from windlass.commands.options import show
from windlass.commands.speech import echo, prompt
from windlass.sources.guess import write_guess
from windlass.sources.guessing.record import Reading


def begin(data: Path, project: Path, wanted: tuple[str, str], force: bool, as_json: bool) -> None:
    """Writes windlass.yaml and says why. wanted: the output column and its kind, '' where they are to be guessed."""
    is_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    takes_other = _asked if is_terminal and not as_json else lambda other: False
    found, path = write_guess(data, project, wanted[0], force, wanted[1], takes_other)
    said = [f"{path}", *(f"  {reason}" for reason in found.reasons)]
    said += [f"  left out '{name}': {why}" for name, why in found.left_out.items()]
    show({"file": str(path), **found.as_json()}, as_json, "\n".join([*said, "next: look at it, then `windlass run`"]))


def _asked(other: Reading) -> bool:
    echo(f"two readings are close:\n  1  {other.taken}\n  2  {other.words}", err=True)
    return bool(prompt("which one", default="1", err=True).strip() == "2")
