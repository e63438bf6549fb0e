"""What commands share: their options, opening the project, and printing for people or for programs."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

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
        typer.echo(text)


def with_options(options: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the options of another function, too; what that makes of them is its first argument."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        added, own = (inspect.signature(function).parameters for function in (options, command))

        def joined(*outer: Any, **values: Any) -> None:
            """outer: what options that were given around these made."""
            command(options(**{name: values.pop(name) for name in added}), *outer, **values)

        joined.__signature__ = inspect.Signature([*list(own.values())[1:], *added.values()])  # type: ignore[attr-defined]
        joined.__annotations__ = {**command.__annotations__, **options.__annotations__}
        return joined

    return decorate
