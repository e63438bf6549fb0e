"""What commands share: their options, opening the project, and printing for people or for programs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from windlass.commands.speech import echo
from windlass.lifecycle import STAGES

ProjectFolder = Annotated[Path, typer.Option("--project", "-p", help="folder with windlass.yaml")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON for programs")]
Again = Annotated[bool, typer.Option("--again", help="run even when up to date")]
HERE = Path(".")
DOES = {
    "collect": "Read the data into rows, and rejects with their reasons.",
    "prepare": "Split the rows, and describe them on a data card.",
    "train": "Train the candidates within the minutes.",
    "compress": "Make smaller and faster copies of the best candidate.",
    "evaluate": "Measure the candidates: a leaderboard and a report.",
    "explain": "Say why a row was answered so.",
    "release": "Make the chosen candidate the release that is served.",
    "serve": "Serve the release over HTTP.",
    "watch": "Look at the service: health, drift and alarms.",
    "improve": "Learn from feedback: a better champion, or why not.",
    "plan": "Say what to do next, as a roadmap.",
}
"""Stage -> what its command does, short enough for a line of `--help`."""
GIVES = {stage.word: f"{DOES[stage.word]} {stage.guarantees[0].upper()}{stage.guarantees[1:]}." for stage in STAGES}


def open_project(folder: Path, quiet: bool = False) -> Any:
    """The project in the folder, with progress bars; tells of documents that are not wholly forgotten yet.

    Raises: NotReady, SpecError.
    """
    from windlass.pages.text.progress import bars
    from windlass.project import Project

    opened = Project(folder, progress=bars(quiet))
    for document in _half_forgotten(opened.store):
        echo(f"warning: '{document}' is not forgotten yet, answers may rest on it: `windlass forget` goes on", err=True)
    return opened


def _half_forgotten(store: Any) -> list[str]:
    """Most projects have forgotten nothing: then nothing is imported for it."""
    if not (store.folder / "forget").is_dir():
        return []
    from windlass.sources.documents.forgotten import pending

    return pending(store)


def show(values: Any, as_json: bool, text: str = "") -> None:
    """Prints the values as JSON, or else the text."""
    if as_json:
        import json

        typer.echo(json.dumps(values, ensure_ascii=False))
    else:
        echo(text)
