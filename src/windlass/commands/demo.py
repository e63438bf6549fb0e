"""The whole loop in minutes: launch, customers, a change, an alarm, corrections, a better model, and what is next.

What is real: the product, the service, its answers, the drift, the feedback, the training and every number. What is
played: the customers and the people who correct answers (messages written for this, `later.jsonl`), and the calendar:
a week takes seconds, by the clock of the request log.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from windlass.blueprints import catalogue
from windlass.client import Client, Prediction
from windlass.database.location import memory
from windlass.database.request_log import RequestLog
from windlass.durations import UNITS_S
from windlass.errors import NotReady
from windlass.pages.html.loop import Week, loop_page, loop_picture, week_text
from windlass.pages.text.doubling import in_both
from windlass.predictors.contract import Predictor
from windlass.project import Project
from windlass.records import Health, Improvement, Json, Progress, silent
from windlass.registry import releases
from windlass.serving.api.app import create_app
from windlass.serving.contract.settings import Settings
from windlass.serving.http.server import running
from windlass.serving.runtime.hot_swap import HotSwap
from windlass.spec import FILE_NAME
from windlass.store.files import write_text

PRODUCT, LATER = "support-desk", "later.jsonl"
WISHES = {"minutes": 0.5, "improve": {"new_labels": 12}}
"""A label that training does not know is learned from so many corrections on."""
WEEK_S, BATCH = UNITS_S["w"], 16
CORRECTED = 0.6
"""Share of the answers of which somebody says what would have been right."""
SWAP_S = 30.0
Tell = Callable[[str], None]


@dataclass
class Calendar:
    """The clock of the request log. now: seconds since 1970."""

    now: float

    def __call__(self) -> float:
        return self.now


@dataclass
class DemoService:
    """The product and its service while the weeks pass. first: what answered on the first day."""

    project: Project
    client: Client
    calendar: Calendar
    first: Predictor
    chance: random.Random
    raised: frozenset[tuple[str, str]] = frozenset()
    weeks: list[Week] = field(default_factory=list)


def demo(folder: Path, tell: Tell, progress: Progress = silent, weeks: int = 8, wishes: Json = WISHES) -> Path:
    """Plays the loop in a new folder, told step by step; gives the page that shows it.

    weeks: 1 to 8. wishes: what the specification says otherwise than that of the ready product.
    Raises: DataError: the folder is not empty; and what the stages raise.
    """
    tell(f"1. Launch: a ready product in {folder}, trained, compared, released.\n")
    project = _launched(folder, progress, wishes)
    tell(f"{project.board}\n\n2. The roadmap of the first day:")
    before = project.plan()
    tell(_listed(before.summary))
    rows = [json.loads(line) for line in (folder / LATER).read_text(encoding="utf-8").splitlines()]
    with _desk(project, Calendar(time.time() - weeks * WEEK_S)) as desk:
        tell(f"\n3. It is served; customers come, and colleagues correct {CORRECTED:.0%} of the answers.")
        for number in range(1, weeks + 1):
            _pass_week(desk, number, [row for row in rows if row["week"] == number], tell)
    tell("\n4. The roadmap of the last day:")
    after = project.plan()
    tell(_listed(after.summary))
    home = project.store.folder / "demo"
    write_text(home / "loop.svg", loop_picture(desk.weeks, stands_alone=True))
    write_text(home / "loop.html", in_both(loop_page(desk.weeks, before.summary, after.summary)))
    return home / "loop.html"


def _launched(folder: Path, progress: Progress, wishes: Json) -> Project:
    spec = catalogue.copy(PRODUCT, folder) / FILE_NAME
    values = {**yaml.safe_load(spec.read_text(encoding="utf-8")), **wishes}
    write_text(spec, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
    project = Project(folder, progress)
    project.release()
    return project


@contextmanager
def _desk(project: Project, calendar: Calendar) -> Iterator[DemoService]:
    """The champion behind HTTP, as `windlass serve` has it, but for the clock of its log."""
    store, id = project.store, project.champion.id
    release, predictor = releases.open_release(store, id)
    seen = releases.pointer_mark(store)
    settings = Settings(keep_inputs=project.spec.keep_inputs)
    with RequestLog(memory(store), calendar) as log:
        app = create_app(release, predictor, log, settings)
        hot_swaps: list[HotSwap] = []

        def listening(port: int) -> None:
            hot_swaps.append(HotSwap(app.state.service, store, "127.0.0.1", port, seen))
            hot_swaps[0].start()

        try:
            with running(app, settings.deadline_s, listening) as port, Client(f"http://127.0.0.1:{port}") as client:
                yield DemoService(project, client, calendar, predictor, random.Random(project.spec.seed))
        finally:
            for hot_swap in hot_swaps:
                hot_swap.stop()


def _pass_week(desk: DemoService, number: int, rows: list[Json], tell: Tell) -> None:
    """A week of messages and corrections, a look at the service, and when there is an alarm, an attempt to improve."""
    n_right, n_first, sure = 0, 0, 0.0
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        desk.calendar.now += WEEK_S * len(batch) / len(rows)
        answers = desk.client.predict([{"message": row["message"]} for row in batch])
        for row, answer in zip(batch, answers, strict=True):
            _correct(desk, row, answer)
        n_right += sum(answer.value == row["intent"] for row, answer in zip(batch, answers, strict=True))
        first = desk.first.answer([{"message": row["message"]} for row in batch])
        n_first += sum(answer.value == row["intent"] for row, answer in zip(batch, first, strict=True))
        sure += sum(answer.confidence or 0.0 for answer in answers)
    health = desk.project.watch(now=desk.calendar.now)
    improvement = _improved(desk, health)
    new = [alarm for alarm in health.alarms if (alarm.name, alarm.subject) not in desk.raised]
    desk.raised = frozenset((alarm.name, alarm.subject) for alarm in health.alarms)
    right, first_right, confidence = (value / len(rows) for value in (n_right, n_first, sure))
    week = Week(number, len(rows), right, first_right, confidence, new, len(health.alarms) - len(new), improvement)
    desk.weeks.append(week)
    tell(week_text(week))


def _correct(desk: DemoService, row: Json, answer: Prediction) -> None:
    if desk.chance.random() < CORRECTED:
        desk.client.feedback(answer.id, correct=row["intent"])


def _improved(desk: DemoService, health: Health) -> Improvement | None:
    """An attempt where there is an alarm; a new champion has taken its place when this returns."""
    if not health.alarms:
        return None
    made = desk.project.improve(trigger=f"alarm: {health.alarms[0].words}")
    if made.verdict == "promoted":
        _wait_for(desk.client, made.challenger)
    return made


def _wait_for(client: Client, release: str) -> None:
    """Raises: NotReady: the service does not take the release."""
    end = time.monotonic() + SWAP_S
    while client.health()["release"] != release:
        if time.monotonic() > end:
            raise NotReady(f"service did not take release '{release}' in {SWAP_S:g} s, expected it to")
        time.sleep(0.2)


def _listed(lines: list[str]) -> str:
    return "\n".join(f"   - {line}" for line in lines)
