"""The command line: one command a stage, and the few that start and look. No logic lives here."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from windlass import __version__
from windlass.commands import asking, failures, service, speech, tutoring
from windlass.commands.options import GIVES, HERE, Again, AsJson, ProjectFolder, open_project, show
from windlass.commands.speech import echo
from windlass.errors import DataError
from windlass.store import diagnostics
from windlass.store.store import FOLDER

app = typer.Typer(
    name="windlass",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Say what goes in and what comes out; Windlass finds the cheapest model that meets your goal and ships it.",
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="show the diagnostic log's lines on stderr, too")] = False,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="print the version")
    ] = False,
    language: Annotated[str, typer.Option(metavar="zh|en", help="speak Chinese or English (none: as LANG says)")] = "",
) -> None:
    diagnostics.show(debug)


@app.command()
def init(
    data: Annotated[Path, typer.Argument(help="a file, or a folder")],
    output: Annotated[str, typer.Option("--output", help="the column to answer, when the guess is wrong")] = "",
    project: ProjectFolder = HERE,
    force: Annotated[bool, typer.Option("--force", help="replace a windlass.yaml that is there")] = False,
    as_kind: Annotated[str, typer.Option("--as", help="how it is answered: a kind, or windows (of series)")] = "",
    as_json: AsJson = False,
) -> None:
    """Guess windlass.yaml from the data, and say why. In a terminal, it asks where two readings are close."""
    from windlass.commands.init import begin

    begin(data, project, (output, as_kind), force, as_json)


@app.command()
def new(
    blueprint: Annotated[str, typer.Argument(help="its name; none: list them")] = "",
    folder: Annotated[Path | None, typer.Argument(help="a new folder (none: the blueprint's name)")] = None,
) -> None:
    """Start from a ready product. Without a name, the products are listed."""
    from windlass.blueprints import catalogue
    from windlass.pages.text.listing import blueprints_text

    if not blueprint:
        echo(blueprints_text(catalogue.listing()))
        return
    made = catalogue.copy(blueprint, folder or Path(blueprint))
    echo(f"{made}\nnext: `cd {made} && windlass run`")


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="a new folder")] = Path("windlass-demo"),
    weeks: Annotated[int, typer.Option(min=1, max=8, help="to play; in the fourth something changes")] = 8,
) -> None:
    """Play the whole loop in minutes. Launch, customers, a change, an alarm, corrections, a better model, a roadmap."""
    from windlass.commands import demo as played
    from windlass.pages.text.progress import bars

    page = played.demo(folder, echo, bars(), weeks)
    echo(f"\npage: {page}\nnext: `cd {folder} && windlass serve`; your own data: `windlass init DATA`")


@app.command()
def schema() -> None:
    """Print the JSON schema of windlass.yaml, for editors."""
    from windlass.spec import Spec

    show(Spec.model_json_schema(), as_json=True)


@app.command()
def run(project: ProjectFolder = HERE, as_json: AsJson = False) -> None:
    """Walk the stages in order, skipping what is up to date."""
    from windlass.commands.walk import walk

    walk(project, as_json)


def _stage(word: str) -> None:
    """Adds the command of a stage: it runs the stages before it when they are not up to date."""

    def command(project: ProjectFolder = HERE, again: Again = False, as_json: AsJson = False) -> None:
        opened = open_project(project, quiet=as_json)
        if again:
            opened.forget(word)
        opened.walk(word, lambda done, skipped: None)
        show(opened.store.read_record(word), as_json, opened.shown(word))

    command.__doc__ = GIVES[word]
    app.command(word)(command)


for _word in ("collect", "prepare", "train", "compress", "evaluate"):
    _stage(_word)


@app.command(help=GIVES["explain"])
def explain(
    row: Annotated[str, typer.Argument(help="one row as JSON, for the champion (none: test rows, as a page)")] = "",
    label: Annotated[str, typer.Option("--label", help="explain this label (none: the answer)")] = "",
    project: ProjectFolder = HERE,
    again: Again = False,
    as_json: AsJson = False,
) -> None:
    opened = open_project(project, quiet=as_json)
    if row:
        from windlass.serving.batch.files import read_row

        found = opened.champion.explain([read_row(row)], Path.cwd(), label)[0]
        show(found.as_json(), as_json, str(found))
        return
    if again:
        opened.forget("explain")
    opened.walk("explain", lambda done, skipped: None)
    show(opened.store.read_record("explain"), as_json, opened.shown("explain"))


@app.command(help=GIVES["release"])
def release(
    candidate: Annotated[str, typer.Argument(help="a candidate of the leaderboard (none: the chosen one)")] = "",
    anyway: Annotated[
        bool, typer.Option("--anyway", help="although it misses the goal or beats no baseline; recorded")
    ] = False,
    project: ProjectFolder = HERE,
    again: Again = False,
    as_json: AsJson = False,
) -> None:
    opened = open_project(project, quiet=as_json)
    if again:
        opened.forget("release")
    made = opened.release(candidate, anyway)
    from windlass.records import as_json as plain

    show(
        plain(made.record),
        as_json,
        f"release {made.id}: {made.record.candidate}, {made.record.headline} "
        f"{made.record.score}, {made.record.size_mb:.1f} MB\n{made.folder}\n"
        "next: `windlass serve`",
    )


@app.command(help=GIVES["watch"])
def watch(
    order: Annotated[
        list[str] | None,
        typer.Argument(metavar="[silence ALARM 7d]", help="tell nobody of an alarm for so long (none: look)"),
    ] = None,
    every: Annotated[str, typer.Option(help="go on and look again, such as every 60s")] = "",
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    from windlass.records import as_json as plain

    opened = open_project(project, quiet=True)
    if order:
        from windlass.watching.silence import silence

        echo(silence(opened.store, order))
        return
    for health in opened.looks(every):
        show(plain(health), as_json, opened.health_text(health))


@app.command("improve", help=GIVES["improve"])
def improve(
    ask: Annotated[int, typer.Option(help="write a file of so many answers that are worth a label")] = 0,
    history: Annotated[bool, typer.Option("--history", help="what was tried, and why it was promoted or not")] = False,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
    doubts: Annotated[bool, typer.Option("--doubts", help="list the feedback that was set aside, and why")] = False,
    accept: Annotated[list[str] | None, typer.Option(metavar="ID", help="believe it; may be repeated")] = None,
    refuse: Annotated[list[str] | None, typer.Option(metavar="ID", help="never learn it; may be repeated")] = None,
    rows: Annotated[Path | None, typer.Option("--rows", help="newly labelled rows: CSV, JSONL, Parquet")] = None,
    canary: Annotated[float, typer.Option(help="try it on this share of the requests, 0-1")] = 0.0,
    every: Annotated[str, typer.Option(help="again and again, such as 1d; rolls back what does worse")] = "",
    on_alarm: Annotated[bool, typer.Option("--on-alarm", help="whenever `windlass watch` sees a drift")] = False,
) -> None:
    from windlass.improving.priority import lower_priority

    lower_priority()
    from windlass.pages.html.improvements import doubts_text, history_text, improvement_text
    from windlass.records import as_json as plain

    opened = open_project(project, quiet=as_json or bool(every) or on_alarm)
    if ask:
        echo(f"{opened.ask(ask)}\nnext: say there what is right, then `windlass improve --rows` it")
    elif doubts or accept or refuse:
        for ids, is_accepted in ((accept, True), (refuse, False)):
            if ids:
                opened.decide(ids, is_accepted)
        show(opened.doubts(), as_json, doubts_text(opened.doubts(), accept or [], refuse or []))
    elif history:
        found = opened.improvements()
        show([plain(each) for each in found], as_json, history_text(found, opened.doubts()))
    elif every or on_alarm:
        for turn in opened.keep_improving(every, on_alarm):
            show(turn.as_json(), as_json, turn.words)
    else:
        made = opened.improve(rows, canary, "windlass improve")
        show(plain(made), as_json, improvement_text(made))


@app.command(help=GIVES["plan"])
def plan(
    traffic: Annotated[str, typer.Option(help="what if: answers a day, or 10x as many")] = "",
    budget: Annotated[str, typer.Option(help="what if: money that the plan may spend")] = "",
    deadline: Annotated[str, typer.Option(help="what if: such as 2027-03-01")] = "",
    ask: Annotated[bool, typer.Option("--ask", help="ask for product.yaml first: users, money, people")] = False,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    opened = open_project(project, quiet=as_json)
    if ask:
        from windlass.planning.asking import ask as ask_all

        ask_all(opened.folder, list(opened.spec.inputs), speech.prompt, echo)
    from windlass.records import as_json as plain

    made = opened.plan(traffic=traffic, budget=budget, deadline=deadline)
    page = opened.store.stage("plan") / ("what-if.html" if made.what_if else "roadmap.html")
    show(plain(made), as_json, f"{made}\n  {page}")


@app.command()
def predict(
    source: Annotated[
        str, typer.Argument(help="a file (CSV, JSONL ...), a picture, a folder of them, a row as JSON, or - for JSONL")
    ],
    to: Annotated[Path | None, typer.Option("--to", help="CSV or JSONL file to write (none: JSONL to stdout)")] = None,
    project: ProjectFolder = HERE,
) -> None:
    """Answer a row, a file or pictures with the champion. Killed, the same command goes on with --to."""
    from windlass.project import Project
    from windlass.serving.batch.files import answer_file, answer_one
    from windlass.sources.confinement import allowed_folders

    opened = Project(project)
    champion = opened.champion
    if source.lstrip().startswith("{"):
        show(answer_one(champion.predictor, source).as_json(), as_json=True)
        return
    allowed = allowed_folders(opened.spec.files, opened.folder)
    counts = answer_file(champion.predictor, source, to, champion.id, allowed)
    for note in counts.notes:
        echo(f"note: {note}", err=True)
    before = f"; {counts.taken_over:,} of them before" if counts.taken_over else ""
    echo(f"{counts.answered:,} answered, {counts.refused:,} refused (their rows say why){before}", err=True)
    if counts.refused and not counts.answered:
        raise DataError(f"none of the {counts.refused:,} rows of {source} was answered, expected at least one")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="a new folder")],
    form: Annotated[str, typer.Option("--format", help="coco, voc, yolo, label-studio; masks: coco, png")] = "coco",
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Write labelled pictures as annotation tools read them. Corrections by people are among them."""
    found = open_project(project, quiet=as_json).export(folder, form)
    text = f"{found.pop('text')}\nnext: `windlass init {folder}` reads it again"
    show(found, as_json, text)


@app.command()
def repair(
    program: Annotated[Path, typer.Argument(help="a Python file that does not do what it should")],
    tests: Annotated[Path, typer.Option(help="a file with `assert` lines or functions `test_...`")],
    tries: Annotated[int, typer.Option(min=1, help="programs that are run in each of two rounds")] = 200,
    write: Annotated[bool, typer.Option("--write", help="put the repaired program in the file's place")] = False,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Repair a Python file by its tests. What the champion proposes, then every change, runs in a sandbox."""
    from windlass.repair.search import mend

    found = mend(program, tests, project, tries, write)
    show(found.as_json(), as_json, str(found))
    if not found.repaired.passed:
        raise typer.Exit(1)


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
    """Compare the texts of two writers. A person says which is better, or a judge does."""
    from windlass.commands import comparison
    from windlass.pages.text.progress import bars
    from windlass.spec import load
    from windlass.store.store import Store

    plan = comparison.Plan(writers, rows, judge, port)
    found = comparison.compare(load(project), Store(project.resolve()), plan, bars(as_json))
    show(found, as_json, comparison.text(found))


@app.command()
def trends(
    feed: Annotated[Path, typer.Argument(help="CSV or JSONL with a time and a text in each row")],
    topics: Annotated[str, typer.Option("--with", help="folder of a product for topics (none: of trends.yaml)")] = "",
    day: Annotated[str, typer.Option(help="the last day that counts, such as 2025-03-31 (none: of the feed)")] = "",
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Follow what is said of whom in a feed. Gives trends, alarms with their texts, a daily digest and a page."""
    from windlass.pages.text.progress import bars
    from windlass.records import as_json as plain
    from windlass.trends import command

    made = command.trends(project.resolve(), command.TrendsRequest(feed, topics, day), bars(as_json))
    show(plain(made.trends) if as_json else {}, as_json, made.digest)
    echo(f"{made.folder / command.PAGE}", err=True)


@app.command()
def allow(
    url: Annotated[str, typer.Argument(help="the address, all of it, as windlass.yaml names it")],
    variable: Annotated[str, typer.Option(help="an environment variable that may be sent there, too")] = "",
) -> None:
    """Allow projects to send to an address. It is remembered in your own configuration, on this machine."""
    from windlass.remote import consent

    echo(f"{consent.allow(url, variable)}: remembered")


app.add_typer(service.app)
app.add_typer(asking.app)
app.add_typer(tutoring.app)


@app.command()
def doctor(project: ProjectFolder = HERE, as_json: AsJson = False) -> None:
    """Try every part, and say what to install for the others. It also says where the time went here."""
    from windlass.commands import doctor as examination
    from windlass.pages.text.listing import doctor_text, spent_text

    parts = examination.as_json(examination.examine())
    show(parts, as_json, doctor_text(parts) + spent_text(parts, examination.spent(project)))


@app.command()
def version(as_json: AsJson = False) -> None:
    """Print the version."""
    from windlass.commands.doctor import versions

    show(versions() if as_json else {}, as_json, __version__)


def main() -> None:
    """Runs the command; an error becomes one or two lines on stderr and its exit code."""
    failures.set_up_streams()
    diagnostics.keep_in(failures.project_named(sys.argv[1:]) / FOLDER)
    sys.exit(failures.ended(lambda: speech.run(app)))


if __name__ == "__main__":
    main()
