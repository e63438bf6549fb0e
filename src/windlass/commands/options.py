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
GIVES = {stage.word: f"{stage.gives[0].upper()}{stage.gives[1:]}: {stage.guarantees}." for stage in STAGES}


def open_project(folder: Path, quiet: bool = False) -> Any:
    """The project in the folder, with progress bars. Raises: NotReady, SpecError."""
    from windlass.pages.text.progress import bars
    from windlass.project import Project

    return Project(folder, progress=bars(quiet))


def show(values: Any, as_json: bool, text: str = "") -> None:
    """Prints the values as JSON, or else the text."""
    if as_json:
        import json

        typer.echo(json.dumps(values, ensure_ascii=False))
    else:
        echo(text)
