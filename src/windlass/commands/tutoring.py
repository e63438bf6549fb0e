"""Where learners stand and what each should try next, by the champion; pages for learners and for their teacher."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from windlass.commands.options import HERE, AsJson, ProjectFolder, show
from windlass.errors import DataError, NotReady, did_you_mean, expected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.kinds.items import History
    from windlass.predictors.recommend.tracing.tutoring import Tutor
    from windlass.project import Project
    from windlass.records.tutoring import ClassState, LearnerState

app = typer.Typer()
CLASS = "class.html"
N_LISTED = 20
NO_CLAIM = "no causal claim: learners and teachers chose these tries, not chance"


@app.command("tutor")
def tutor(
    learner: Annotated[str, typer.Argument(help="whose; none: the class")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="write pages into this folder, one a learner")] = None,
    replay: Annotated[bool, typer.Option("--replay", help="and what the log says of such suggestions")] = False,
    at: Annotated[
        str, typer.Option("--at", help="a moment, such as 2026-03-31 or now; none: each one's last try")
    ] = "",
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Say what each learner knows, and which exercise to try next."""
    from windlass.project import Project
    from windlass.records import as_json as plain

    opened = Project(project)
    state = class_state(opened, learner, at, replay)
    if out is not None:
        write_pages(out, state, bool(learner))
    said = learner_text(state.learners[0]) if learner else class_text(state)
    show({**plain(state), "folder": str(out or "")}, as_json, said if out is None else f"{said}\n{out}")


def class_state(opened: "Project", learner: str, at: str, with_replay: bool) -> "ClassState":
    """Raises: NotReady: no champion that can tutor. DataError: no such learner."""
    from windlass.predictors.recommend.tracing.tutoring import Tutor, replayed
    from windlass.records.tutoring import ClassState
    from windlass.sources.events.answered import histories_of, is_answered
    from windlass.sources.places import find, names_of
    from windlass.sources.prepared import read_catalogue

    if not is_answered(opened.spec):
        raise NotReady(
            f"'{opened.spec.name}' has no log of answers, expected `items:` with an event that says what was right",
            "`windlass new tutor my-tutor` shows one",
        )
    made = Tutor.of(opened.champion.predictor, read_catalogue(opened.spec, opened.store))
    sources = find(opened.spec.data, opened.store.project, names_of(opened.spec), opened.store.folder / "unpacked")
    histories = histories_of(opened.spec, sources)
    if learner and learner not in histories:
        raise DataError(
            f"learner is '{learner}', expected {expected(list(histories))}", did_you_mean(learner, histories)
        )
    chosen = {learner: histories[learner]} if learner else histories
    told = replayed(made, list(histories.values())) if with_replay else ()
    return ClassState(opened.spec.name, tuple(_states(made, chosen, at)), told)


def _states(made: "Tutor", chosen: "Mapping[str, History]", at: str) -> "list[LearnerState]":
    import time

    from windlass.kinds.items import seconds

    try:
        moment = None if not at else time.time() if at == "now" else seconds(at)
    except ValueError as error:
        raise DataError(f"--at {error}") from None
    return made.states(chosen, moment)


def write_pages(folder: Path, state: "ClassState", is_one: bool) -> None:
    """A page a learner, named by number so that no name becomes a path; and one of the class."""
    from windlass.pages.html.tutor_page import class_page, learner_page
    from windlass.store.files import write_text

    names = tuple(f"learner-{number:03d}.html" for number in range(1, len(state.learners) + 1))
    for name, each in zip(names, state.learners, strict=True):
        write_text(folder / name, learner_page(each))
    if not is_one:
        write_text(folder / CLASS, class_page(replace(state, links=names)))


def learner_text(state: "LearnerState") -> str:
    lines = [f"{state.learner}: {state.tried} tries, {state.right:.0%} right"]
    width = max(len(each.skill) for each in state.skills)
    for each in state.skills:
        needs = "" if each.is_open else f"  first needs {', '.join(each.needs)}"
        share = f"{each.share:4.0%} [{each.low:.0%}, {each.high:.0%}]"
        lines.append(f"  {each.skill:{width}}  {share}  {each.tries} tries{needs}")
    for number, suggested in enumerate(state.suggestions, 1):
        lines.append(f"{'next' if number == 1 else 'or  '}  {suggested.exercise}: {suggested.text.en}")
        lines.append(f"      right with {suggested.chance:.0%}; hint: {suggested.hint.en}")
    return "\n".join(lines)


def class_text(state: "ClassState") -> str:
    lines = [
        f"{each.learner}  {each.share:4.0%} of the course"
        + "".join(f"  next {one.exercise}" for one in each.suggestions[:1])
        for each in state.learners[:N_LISTED]
    ]
    if len(state.learners) > N_LISTED:
        lines.append(f"and {len(state.learners) - N_LISTED:,} more: --json or --out FOLDER")
    for told in state.replay:
        lines.append(
            f"{'suggested' if told.is_suggested else 'others   '}: {told.tries:,} tries, {told.right:.1%} right; the "
            f"next try of the skill {told.next_right:.1%} right, expected before {told.next_expected:.1%}"
        )
    return "\n".join([*lines, *([NO_CLAIM] if state.replay else [])])
