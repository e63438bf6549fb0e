"""Questions to the champion of documents, each answer with where it stands; summaries and reports."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from windlass.commands.options import HERE, AsJson, ProjectFolder, open_project, show
from windlass.commands.speech import echo
from windlass.errors import GateRefused, NotReady, WindlassError, did_you_mean

if TYPE_CHECKING:
    from windlass.predictors.contract import Predictor
    from windlass.project import Project
    from windlass.records import Json

app = typer.Typer()
N_NEAR = 3
AsGroup = Annotated[
    list[str] | None, typer.Option("--as", metavar="GROUP", help="as one of this group asks; may be repeated")
]
REFUSED, OTHERWISE = "No document answers this for certain.", "Another passage says otherwise:"


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="in your own words")],
    group: AsGroup = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Ask the documents one question. The answer comes with the sentences that it rests on, or there is none."""
    from windlass.database.keys import read_groups
    from windlass.outputs import table as outputs
    from windlass.predictors.contract import seen_by

    opened = open_project(project, quiet=True)
    if not outputs.of(opened.spec).cites:
        name = opened.spec.output_column
        raise NotReady(f"output '{name}' is no cited answer, expected documents to ask", "`windlass predict` answers")
    predictor = seen_by(opened.champion.predictor, read_groups(group or ()))
    _tell_unknown(opened, predictor, group or ())
    found = predictor.answer([dict.fromkeys(opened.spec.inputs, question)])[0]
    show(found.as_json(), as_json, "\n".join([told(found.value, found.confidence), *map(_harmless, found.evidence)]))


@app.command()
def search(
    words: Annotated[str, typer.Argument(help="to find")],
    k: Annotated[int, typer.Option("-k", help="passages, at most 10")] = 5,
    group: AsGroup = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Find passages of the documents, the best first. No answer is read out of them."""
    opened = open_project(project, quiet=True)
    found = opened.search(words, k, group or ())
    _tell_unknown(opened, opened.champion.predictor if group else None, group or ())
    lines = [f"{number}. {_place(each)}: {_short(each['text'])}" for number, each in enumerate(found, 1)]
    show({"passages": found}, as_json, "\n".join(lines) or "No passage has any of these words.")


@app.command()
def summarise(
    document: Annotated[str, typer.Argument(help="its path below the documents, or the end of it")],
    n: Annotated[int, typer.Option("-n", help="sentences, at most 50")] = 5,
    group: AsGroup = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Give the sentences that stand for a document. They are to the letter and in its order, each with its place."""
    found = open_project(project, quiet=True).champion.summarise(document, n, group or ())
    marks = {place: number for number, place in enumerate(dict.fromkeys(map(_cited_place, found["sentences"])), 1)}
    lines = [f"{_line(each['text'])} [{marks[_cited_place(each)]}]" for each in found["sentences"]]
    sources = [f"  [{number}] {place}" for place, number in marks.items()]
    none = f"{_harmless(found['document'])} has no sentence to quote."
    show(found, as_json, "\n".join([_harmless(found["title"]), *lines, *sources] if lines else [none]))


@app.command()
def report(
    topics: Annotated[list[str], typer.Argument(metavar="TOPIC...", help="topics or questions, each in quotes")],
    out: Annotated[Path | None, typer.Option("--out", help="write the Markdown here (none: print it)")] = None,
    group: AsGroup = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Write a Markdown report over the documents. Of each topic: the cited answer, and what each document says."""
    from windlass.pages.text.topics import markdown
    from windlass.project import Project
    from windlass.store.files import write_text

    found = Project(project).champion.report_on(topics, group or ())
    text = markdown(found)
    if out is not None:
        write_text(out, text)
    show({"topics": found, "file": str(out or "")}, as_json, text.rstrip() if out is None else str(out))


@app.command("test")
def check_answers(project: ProjectFolder = HERE, as_json: AsJson = False) -> None:
    """Ask the champion what people have answered before. Each is a test that fails until it answers so."""
    from windlass.project import Project

    found = Project(project).people_tests()
    failing = [each for each in found if not each["holds"]]
    lines = [f"{'ok   ' if each['holds'] else 'fails'}  {_short(each['question'])}" for each in found]
    said = f"{len(found) - len(failing)} of {len(found)} hold" if found else "no question was answered by a person yet"
    show({"tests": found, "failing": len(failing)}, as_json, "\n".join([*lines, said]))
    if failing:
        raise GateRefused(f"{len(failing)} of {len(found)} tests fail, expected none", "`windlass improve` mends them")


def _tell_unknown(opened: "Project", predictor: "Predictor | None", groups: Sequence[str]) -> None:
    """On stderr, that a group sees no more than everybody does, since nothing names it: it is likely a slip."""
    from windlass.predictors.contract import groups_of
    from windlass.spec import EVERYONE

    if not groups or predictor is None:
        return
    there = groups_of(predictor) | _with_keys(opened)
    for group in groups:
        if group.casefold() not in there | {EVERYONE}:
            hint = did_you_mean(group.casefold(), sorted(there))
            words = f"note: group '{_harmless(group)}' is named by no document and no key: it sees what everybody sees"
            echo(words + (f"; {hint}" if hint else ""), err=True)


def _with_keys(opened: "Project") -> frozenset[str]:
    """Groups that a key names; none where the database does not answer: a question needs none."""
    from windlass.database import keys
    from windlass.database.location import memory

    try:
        place = memory(opened.store, os.environ.get("WINDLASS_DATABASE", ""))
        return frozenset().union(*(key.groups for key in keys.listing(place)))
    except WindlassError:
        return frozenset()


def told(value: "Json", confidence: float | None) -> str:
    """The answer as people read it in a terminal, its sources below."""
    if value["refused"]:
        near = [f"  {_place(each)}: {_short(each['text'])}" for each in value["passages"][:N_NEAR]]
        return "\n".join([REFUSED, *(["nearest passages:", *near] if near else [])])
    lines, sources = [], list[str]()
    for sentence in value["sentences"]:
        marks = []
        for citation in sentence["citations"]:
            sources.append(f"  [{len(sources) + 1}] {_place(citation)}: “{citation['quote']}”")
            marks.append(f"[{len(sources)}]")
        lines.append(" ".join([sentence["text"], *marks]))
    sure = "" if confidence is None else f" ({confidence:.0%} sure)"
    others = [f"{OTHERWISE} {_place(each)}: “{each['quote']}”" for each in value.get("conflicts", ())]
    return "\n".join([" ".join(lines) + sure, *sources, *others])


def _harmless(text: str) -> str:
    """On one line, without the signs that would give orders to the terminal: files are named by anybody."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _line(text: str) -> str:
    return " ".join(_harmless(text).split())


def _cited_place(said: dict[str, Any]) -> str:
    return _place(said["citations"][0])


def _place(each: dict[str, Any]) -> str:
    name = _harmless(str(each["document"]))
    return f"{name}, page {each['page']}" if each.get("page") else name


def _short(text: str, most: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
