"""A shop whose customers have one of three tastes, by a known rule; and its log as files."""

import time

import numpy as np

import windlass
from windlass.sources.outgoing import as_csv
from windlass.store.files import write_text

DAY = 86_400
START = int(time.time()) // DAY * DAY - 130 * DAY
"""So that what is told today comes right after it."""
SPEC = """name: shop
data: events.csv
inputs: {history: items}
output: {recommended: items}
group: user
items: {item: item, time: time, event: event, counts: {buy: 5, view: 1, dislike: 0}, catalogue: items.csv}
learners: [popularity, recent-popularity]
keep_inputs: true
minutes: 1
improve: {rows: 5}
watch: {window: 1h, rows: 50}
"""


def events(n_users: int = 80, seed: int = 3) -> list[dict]:
    """What each user did, a day after the other: the ten things of a taste in some order, of which every other one is
    bought; what is asked for changes from the first twenty things to the last ten with time."""
    random, rows = np.random.default_rng(seed), []
    for number in range(n_users):
        begun = START + int(random.integers(60)) * DAY + number
        late = number >= n_users // 2
        things = random.permutation(np.arange(15, 30) if late else np.arange(0, 15))[:8]
        for place, thing in enumerate(things.tolist()):
            at = begun + (60 * late + place) * DAY
            rows.append({"user": f"u{number}", "item": f"i{thing}", "time": at, "event": ("buy", "view")[place % 2]})
    return rows


def catalogue() -> list[dict]:
    """Names in two languages; i29 is sold out, i28 is for grown-ups, i30 is new."""
    return [
        {"item": f"i{number}", "title": f"茶 {number}" if number % 2 else f"Tea {number}",
         "available": "no" if number == 29 else "yes", "min_age": "18" if number == 28 else ""}
        for number in range(31)
    ]  # fmt: skip


def begun(folder, rows: list[dict] | None = None, spec: str = SPEC, items: list[dict] | None = None):
    rows = events() if rows is None else rows
    write_text(folder / "events.csv", as_csv(list(rows[0]), rows))
    write_text(folder / "items.csv", as_csv(list(catalogue()[0]), catalogue() if items is None else items))
    write_text(folder / "windlass.yaml", spec)
    return windlass.Project(folder)
