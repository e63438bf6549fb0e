"""The command line in the language of its reader: what is printed, `--help`, and what typer says of a wrong option."""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import typer

from windlass.errors import SpecError, expected
from windlass.language.chosen import CHINESE, LANGUAGES, OPTION, of_command, speak, spoken, translated
from windlass.language.width import padded, wrapped

COLUMNS, NAMES = 78, 24
"""Of help: so wide it is, and so wide its left column at most."""
_EXTRA = re.compile(r"\s*\[((?:default|env var|required|[\d.x<>=]+)[^\]]*)\]$")


def choose(arguments: list[str]) -> list[str]:
    """Speaks what `--language` or the locale says; the arguments without that option.

    Raises: SpecError: neither English nor Chinese.
    """
    language = of_command(arguments)
    speak(language)
    if language not in LANGUAGES:
        raise SpecError(f"{OPTION} is '{language}', expected {expected(LANGUAGES)}")
    kept = [each for each in arguments if not each.startswith(f"{OPTION}=")]
    if OPTION in kept and kept.index(OPTION) + 1 < len(kept):
        at = kept.index(OPTION)
        del kept[at : at + 2]
    return kept


def echo(text: object = "", err: bool = False) -> None:
    """Prints a text for a person."""
    typer.echo(translated(str(text)), err=err)


def prompt(text: str, **options: Any) -> Any:
    return typer.prompt(translated(text), **options)


def run(app: typer.Typer) -> object:
    """Runs the command that was typed."""
    sys.argv[1:] = choose(sys.argv[1:])
    return _in_chinese(app) if spoken() == CHINESE else app()


def _in_chinese(app: typer.Typer) -> object:
    command = typer.main.get_command(app)
    for each in _all(command):
        each.get_help = _help_of(each)
    try:
        code = command(standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        _tell_usage(error)
        raise SystemExit(getattr(error, "exit_code", 2)) from None
    raise SystemExit(code if isinstance(code, int) else 0)


def _all(command: Any) -> Iterator[Any]:
    yield command
    for each in getattr(command, "commands", {}).values():
        yield from _all(each)


def _tell_usage(error: Any) -> None:
    """What typer says of a wrong option or a missing argument."""
    said = error.format_message()
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(said, err=True)
        return
    if context is not None:
        typer.echo(
            f"{_usage(context.command, context)}\n{translated(f'Try `{context.command_path} --help` for help.')}\n",
            err=True,
        )
    typer.echo(translated(f"error: {said}"), err=True)


def _usage(command: Any, context: Any) -> str:
    return f"{translated('usage:')} {context.command_path} {' '.join(command.collect_usage_pieces(context))}"


def _help_of(command: Any) -> Callable[[Any], str]:
    def get_help(context: Any) -> str:
        records = [(each, each.get_help_record(context)) for each in command.get_params(context)]
        arguments = [record for each, record in records if record and each.param_type_name == "argument"]
        options = [record for each, record in records if record and each.param_type_name != "argument"]
        below = [(name, each.help or "") for name, each in getattr(command, "commands", {}).items() if not each.hidden]
        parts = [_usage(command, context), "\n".join(wrapped(translated(_one_line(command.help or "")), COLUMNS, "  "))]
        for head, lines in (("arguments:", arguments), ("options:", options), ("commands:", below)):
            if lines:
                parts.append("\n".join([translated(head), *_listed(lines)]))
        return "\n\n".join(parts)

    return get_help


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _listed(records: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Names beside what they do; a long name has a line of its own."""
    for name, said in records:
        lines = list(wrapped(_said(said), COLUMNS - NAMES - 4, ""))
        beside = len(name) <= NAMES and lines
        yield f"  {padded(name, NAMES)}  {lines[0]}".rstrip() if beside else f"  {name}"
        yield from (f"  {' ' * NAMES}  {line}" for line in lines[1 if beside else 0 :])


def _said(text: str) -> str:
    """The help of an option, with its default and what else typer says of it in brackets."""
    line = _one_line(text)
    found = _EXTRA.search(line)
    if not found:
        return translated(line)
    extra = "；".join(translated(each) for each in found[1].split("; "))
    return f"{translated(line[: found.start()])} [{extra}]".strip()
