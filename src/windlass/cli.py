"""The command line: one command a stage, and the few that start and look. No logic lives here."""

import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from windlass import __version__
from windlass.errors import WindlassError
from windlass.lifecycle import STAGES

app = typer.Typer(
    name="windlass",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Say what goes in and what comes out; Windlass finds the cheapest model that meets your goal and ships it.",
)
ProjectFolder = Annotated[Path, typer.Option("--project", "-p", help="folder with windlass.yaml")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON for programs")]
Again = Annotated[bool, typer.Option("--again", help="run even when up to date")]
HERE = Path(".")
GIVES = {stage.word: f"{stage.gives[0].upper()}{stage.gives[1:]}: {stage.guarantees}." for stage in STAGES}


def _project(folder: Path, quiet: bool = False) -> Any:
    from windlass.pages.progress import bars
    from windlass.project import Project

    return Project(folder, progress=bars(quiet))


def _print(values: Any, as_json: bool, text: str = "") -> None:
    if as_json:
        import json

        typer.echo(json.dumps(values, ensure_ascii=False))
    else:
        typer.echo(text)


@app.command()
def init(
    data: Annotated[Path, typer.Argument(help="a file, or a folder")],
    output: Annotated[str, typer.Option("--output", help="the column to answer, when the guess is wrong")] = "",
    project: ProjectFolder = HERE,
    force: Annotated[bool, typer.Option("--force", help="replace a windlass.yaml that is there")] = False,
) -> None:
    """Guess windlass.yaml from the data, and say why."""
    from windlass.sources.guess import write_guess

    found, path = write_guess(data, project, output, force)
    typer.echo(f"{path}\n" + "\n".join(f"  {reason}" for reason in found.reasons))
    for name, why in found.left_out.items():
        typer.echo(f"  left out '{name}': {why}")
    typer.echo("next: look at it, then `windlass run`")


@app.command()
def new(
    blueprint: Annotated[str, typer.Argument(help="its name; none: list them")] = "",
    folder: Annotated[Path | None, typer.Argument(help="a new folder (none: the blueprint's name)")] = None,
) -> None:
    """Start from a ready product."""
    from windlass.blueprints import shelf

    if not blueprint:
        typer.echo("\n".join(shelf.names()))
        return
    made = shelf.copy(blueprint, folder or Path(blueprint))
    typer.echo(f"{made}\nnext: `cd {made} && windlass run`")


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="a new folder")] = Path("windlass-demo"),
) -> None:
    """Play the whole loop in minutes: launch, customers, a change, an alarm, corrections, a better model, a roadmap."""
    from windlass import demo as played
    from windlass.pages.progress import bars

    page = played.demo(folder, lambda words: typer.echo(f"{words}"), bars())
    typer.echo(f"\npage: {page}\nnext: `cd {folder} && windlass serve`; your own data: `windlass init DATA`")


@app.command()
def schema() -> None:
    """Print the JSON schema of windlass.yaml, for editors."""
    from windlass.spec import Spec

    _print(Spec.model_json_schema(), as_json=True)


@app.command()
def run(project: ProjectFolder = HERE, as_json: AsJson = False) -> None:
    """Walk the stages in order, skipping what is up to date."""
    from windlass import lifecycle
    from windlass.pages.terminal import board_text

    opened = _project(project, quiet=as_json)

    def told(word: str, skipped: bool) -> None:
        if not as_json:
            typer.echo(opened.summary(word, skipped), err=True)
        if word == "evaluate":
            _print(opened.board.as_json(), as_json, board_text(opened.board))

    opened.walk(lifecycle.ORDER[-1], told)


def _stage(word: str) -> None:
    """Adds the command of a stage: it runs the stages before it when they are not up to date."""

    def command(project: ProjectFolder = HERE, again: Again = False, as_json: AsJson = False) -> None:
        opened = _project(project, quiet=as_json)
        if again:
            opened.forget(word)
        opened.walk(word, lambda done, skipped: None)
        _print(opened.store.read_record(word), as_json, opened.shown(word))

    command.__doc__ = GIVES[word]
    app.command(word)(command)


for _word in ("collect", "prepare", "train", "evaluate"):
    _stage(_word)


@app.command(help=GIVES["explain"])
def explain(
    row: Annotated[str, typer.Argument(help="one row as JSON, for the champion (none: test rows, as a page)")] = "",
    label: Annotated[str, typer.Option("--label", help="explain this label (none: the answer)")] = "",
    project: ProjectFolder = HERE,
    again: Again = False,
    as_json: AsJson = False,
) -> None:
    opened = _project(project, quiet=as_json)
    if row:
        from windlass.serving.files import read_row

        found = opened.champion.explain([read_row(row)], Path.cwd(), label)[0]
        _print(found.as_json(), as_json, str(found))
        return
    if again:
        opened.forget("explain")
    opened.walk("explain", lambda done, skipped: None)
    _print(opened.store.read_record("explain"), as_json, opened.shown("explain"))


@app.command(help=GIVES["release"])
def release(
    candidate: Annotated[str, typer.Argument(help="a candidate of the leaderboard (none: the chosen one)")] = "",
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    opened = _project(project, quiet=as_json)
    made = opened.release(candidate)
    from windlass.records import as_json as plain

    _print(
        plain(made.record),
        as_json,
        f"release {made.id}: {made.record.candidate}, {made.record.headline} "
        f"{made.record.score}, {made.record.size_mb:.1f} MB\n{made.folder}\n"
        "next: `windlass serve`",
    )


def _settings(
    otel: Annotated[str, typer.Option(help="collector for traces; env: as OTEL_EXPORTER_OTLP_ENDPOINT says")] = "",
    database: Annotated[
        str,
        typer.Option(
            envvar="WINDLASS_DATABASE",
            metavar="URL",
            show_default=False,
            help="postgresql://user@host/name (none: a SQLite file of the project)",
        ),
    ] = "",
    allow_host: Annotated[
        list[str] | None, typer.Option(envvar="WINDLASS_ALLOW_HOST", help="a name that the Host header may have")
    ] = None,
    workers: Annotated[int, typer.Option(envvar="WINDLASS_WORKERS", help="processes that share the port")] = 1,
    cache: Annotated[int, typer.Option(metavar="N", help="answers to keep for rows that come again; 0: none")] = 0,
) -> Any:
    from windlass.serving.settings import Settings

    log, hosts = os.environ.get("WINDLASS_LOG", ""), tuple(allow_host or ())
    return Settings(otel=otel, database=database, hosts=hosts, access_log=log, workers=workers, cache=cache)


def _with(options: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the options of another function, too; what that makes of them is its first argument."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        added, own = (inspect.signature(function).parameters for function in (options, command))

        def joined(**values: Any) -> None:
            command(options(**{name: values.pop(name) for name in added}), **values)

        joined.__signature__ = inspect.Signature([*list(own.values())[1:], *added.values()])  # type: ignore[attr-defined]
        joined.__annotations__ = {**command.__annotations__, **options.__annotations__}
        return joined

    return decorate


@app.command("serve", help=GIVES["serve"])
@_with(_settings)
def serve(
    settings: Any,
    project: ProjectFolder = HERE,
    host: Annotated[str, typer.Option(help="where to listen; others are let in only with a key")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any free one")] = 8000,
) -> None:
    from windlass.spec import load
    from windlass.stages.serve import serve as run_service
    from windlass.store import Store

    run_service(load(project), Store(project.resolve()), host, port, typer.echo, settings)


@app.command(help=GIVES["improve"])
def improve(
    rows: Annotated[Path | None, typer.Option("--rows", help="newly labelled rows: CSV, JSONL, Parquet")] = None,
    canary: Annotated[float, typer.Option(help="try it on this share of the requests, 0-1")] = 0.0,
    history: Annotated[bool, typer.Option("--history", help="what was tried, and why it was promoted or not")] = False,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    from windlass.pages.improvements import history_text, improvement_text
    from windlass.records import as_json as plain

    opened = _project(project, quiet=as_json)
    if history:
        found = opened.improvements()
        _print([plain(each) for each in found], as_json, history_text(found))
        return
    made = opened.improve(rows, canary, "windlass improve")
    _print(plain(made), as_json, improvement_text(made))


@app.command(help=GIVES["plan"])
def plan(
    traffic: Annotated[str, typer.Option(help="what if: answers a day, or 10x as many")] = "",
    budget: Annotated[str, typer.Option(help="what if: money that the plan may spend")] = "",
    deadline: Annotated[str, typer.Option(help="what if: such as 2027-03-01")] = "",
    ask: Annotated[bool, typer.Option("--ask", help="ask for product.yaml first: users, money, people")] = False,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    opened = _project(project, quiet=as_json)
    if ask:
        from windlass.planning.asking import ask as ask_all

        ask_all(opened.folder, list(opened.spec.inputs), typer.prompt, typer.echo)
    from windlass.records import as_json as plain

    made = opened.plan(traffic=traffic, budget=budget, deadline=deadline)
    page = opened.store.stage("plan") / ("what-if.html" if made.what_if else "roadmap.html")
    _print(plain(made), as_json, f"{made}\n  {page}")


keys = typer.Typer(no_args_is_help=True, help="Make, list and revoke the API keys of the service.")
app.add_typer(keys, name="keys")


def _memory(project: Path) -> Any:
    from windlass.serving.home import memory
    from windlass.spec import load
    from windlass.store import Store

    load(project)
    return memory(Store(project.resolve()), os.environ.get("WINDLASS_DATABASE", ""))


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="whose it is: a-z, 0-9 and -")],
    scope: Annotated[list[str] | None, typer.Option(help="predict, feedback, read or admin; may be repeated")] = None,
    expires: Annotated[str, typer.Option(help="such as 90d; none: never")] = "",
    rate: Annotated[str, typer.Option(help="such as 10/s; none: no bound")] = "",
    quota: Annotated[str, typer.Option(help="requests, such as 100000/month; none: no bound")] = "",
    project: ProjectFolder = HERE,
) -> None:
    """Make a key and show it once; as soon as there is one, every request needs one."""
    from windlass.serving.keys import Wish, create

    _, token = create(_memory(project), Wish(name, tuple(scope or ["predict"]), expires, rate, quota))
    typer.echo(token)
    typer.echo("this is the only time that it is shown; send it as 'Authorization: Bearer ...'", err=True)


@keys.command("list")
def list_keys(project: ProjectFolder = HERE, as_json: AsJson = False) -> None:
    """List the keys: scopes, state, and how much of their quota is used."""
    from windlass.pages.listing import keys_text
    from windlass.serving.keys import shown

    found = shown(_memory(project))
    _print(found, as_json, keys_text(found))


@keys.command("revoke")
def revoke_key(
    name: Annotated[str, typer.Argument(help="its name or id")], project: ProjectFolder = HERE
) -> None:
    """Refuse a key from now on, in a running service within two seconds."""
    from windlass.serving.keys import revoke

    typer.echo(f"revoked: {revoke(_memory(project), name).name}")


@app.command()
def forget(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="ids of answers")], project: ProjectFolder = HERE
) -> None:
    """Delete answers, what was asked, and their feedback."""
    from windlass.serving.retention import forget as delete

    typer.echo(f"{delete(_memory(project), ids):,} of {len(ids):,} forgotten")


@app.command()
def predict(
    source: Annotated[str, typer.Argument(help="a CSV or JSONL file, or one row as JSON; - reads JSONL from stdin")],
    to: Annotated[Path | None, typer.Option("--to", help="CSV or JSONL file to write (none: JSONL to stdout)")] = None,
    project: ProjectFolder = HERE,
) -> None:
    """Answer one row or a whole file with the champion."""
    from windlass.project import Project
    from windlass.serving.files import answer_file, answer_one

    champion = Project(project).champion
    if source.lstrip().startswith("{"):
        _print(answer_one(champion.predictor, source).as_json(), as_json=True)
        return
    counts = answer_file(champion.predictor, source, to)
    typer.echo(f"{counts.answered:,} answered, {counts.refused:,} refused (their rows say why)", err=True)


@app.command()
def compare(
    writers: Annotated[tuple[str, str], typer.Argument(metavar="ONE OTHER", help="candidates, releases, 'champion'")],
    rows: Annotated[int, typer.Option(help="test rows that both answer")] = 100,
    judge: Annotated[
        tuple[str, str],
        typer.Option(
            metavar="WHERE NAME",
            help="judge by a model: the URL and model of an OpenAI-compatible server, or a project folder and release",
        ),
    ] = ("", ""),
    port: Annotated[int, typer.Option(help="of the page for a person; 0: any free one")] = 8000,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Compare the texts of two writers: a person says which is better, or a judge does."""
    from windlass import comparison
    from windlass.pages.progress import bars
    from windlass.spec import load
    from windlass.store import Store

    plan = comparison.Plan(writers, rows, judge, port)
    found = comparison.compare(load(project), Store(project.resolve()), plan, bars(as_json))
    _print(found, as_json, comparison.text(found))


@app.command()
def trends(
    feed: Annotated[Path, typer.Argument(help="CSV or JSONL with a time and a text in each row")],
    topics: Annotated[str, typer.Option("--with", help="folder of a product for topics (none: of trends.yaml)")] = "",
    day: Annotated[str, typer.Option(help="the last day that counts, such as 2025-03-31 (none: of the feed)")] = "",
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Answer a feed and follow what is said of whom: trends, alarms with their texts, a daily digest and a page."""
    from windlass.pages.progress import bars
    from windlass.records import as_json as plain
    from windlass.trends import command

    made = command.trends(project.resolve(), command.Order(feed, topics, day), bars(as_json))
    _print(plain(made.trends) if as_json else {}, as_json, made.digest)
    typer.echo(f"{made.folder / command.PAGE}", err=True)


@app.command()
def releases(
    project: ProjectFolder = HERE,
    trail: Annotated[bool, typer.Option("--trail", help="who made which one champion, when and why")] = False,
    as_json: AsJson = False,
) -> None:
    """List the releases, the champion marked."""
    from windlass.pages.listing import releases_text, trail_text
    from windlass.predictors.releases import listing, told
    from windlass.store import Store

    store = Store(project.resolve())
    found = told(store) if trail else listing(store)
    _print(found, as_json, trail_text(found) if trail else releases_text(found))


@app.command()
def canary(
    release: Annotated[str, typer.Argument(help="its id")] = "",
    share: Annotated[float, typer.Option(help="of the requests, 0-1")] = 0.1,
    shadow: Annotated[bool, typer.Option("--shadow", help="it answers nobody and is only compared")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="end the trial")] = False,
    project: ProjectFolder = HERE,
) -> None:
    """Try a release beside the champion, on a share of the requests of every running service."""
    from windlass.predictors import trials
    from windlass.store import Store

    store = Store(project.resolve())
    if stop:
        trials.stop(store, "windlass canary --stop", "asked for")
        typer.echo("no release is on trial")
        return
    typer.echo(f"on trial: {trials.start(store, release, share, shadow) if release else trials.running(store)}")


@app.command()
def rollback(project: ProjectFolder = HERE) -> None:
    """Make the release before this champion champion again."""
    from windlass.predictors.releases import rollback as go_back
    from windlass.store import Store

    typer.echo(f"champion: {go_back(Store(project.resolve()))}")


@app.command()
def ship(
    form: Annotated[str, typer.Argument(metavar="FORM", help="wheel, docker, kubernetes, systemd, grafana")],
    target: Annotated[Path, typer.Argument(metavar="FOLDER", help="a new folder")],
    host: Annotated[str, typer.Option(help="public name, such as desk.example.com: writes an Ingress")] = "",
    wheel: Annotated[Path | None, typer.Option(help="a wheel of Windlass to take along (none: from the index)")] = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Write the champion as a folder to run elsewhere: by pip, as a container, on Kubernetes, under systemd."""
    from windlass.pages.progress import bars
    from windlass.records import as_json as plain
    from windlass.shipping import forms
    from windlass.spec import load
    from windlass.store import Store

    order = forms.Order(form, target, host, wheel)
    shipped = forms.ship(load(project), Store(project.resolve()), order, bars(as_json))
    _print(plain(shipped), as_json, str(shipped))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Try every part and say which features work, and what to install for the others."""
    from windlass import doctor as examination
    from windlass.pages.listing import doctor_text

    parts = examination.as_json(examination.examine())
    _print(parts, as_json, doctor_text(parts))


@app.command()
def version(as_json: AsJson = False) -> None:
    """Print the version."""
    from windlass.doctor import versions

    _print(versions() if as_json else {}, as_json, __version__)


def main() -> None:
    """Runs the command; an error becomes one or two lines on stderr and its exit code."""
    try:
        app(standalone_mode=True)
    except WindlassError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("stopped; `windlass run` goes on from here\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
