"""What to write next, where answers are taken from documents: by the questions that were refused."""

from collections.abc import Iterator

from windlass.pages.text.words import count, percent, plain
from windlass.planning.context import Setting
from windlass.planning.items.item import at_most, item
from windlass.records import Item, Json

LEAST_ASKED, MOST_ITEMS = 3, 3
"""Times that a group of questions was refused from which on an article is proposed; articles of one plan."""
HOURS = 2.0


def write_next(setting: Setting) -> Iterator[Item]:
    """An article for each of the largest groups of refused questions, with how many it would answer."""
    found = _documents(setting)
    for group in [each for each in found.get("groups", []) if each["times"] >= LEAST_ASKED][:MOST_ITEMS]:
        share = group["times"] / max(1, found["answers"])
        yield item(
            setting,
            id=f"write-{group['name']}",
            what=f"Write next: {plain(group['name'])}",
            why=f"{count(group['times'])} questions of the last {found['days']:.0f} days "
            f"({percent(share)} of all, {count(group['questions'])} different ones) ask about it and were refused",
            evidence="refused questions in the request log, grouped by their terms (`windlass watch`)",
            method="each refused question of the group is counted as answered once a document says it; an upper bound",
            gain=None,
            benefit=f"answers {count(group['times'])} questions in {found['days']:.0f} days that are refused now",
            sure="fact",
            how="look on the page `/refusals` whether a passage is right after all; else an article in the folder of "
            "documents, then `windlass run`, or answers there, then `windlass improve`",
            hours=HOURS,
            days=0.0,
            acceptance=f"no question about {plain(group['name'])} waits any more",
            until=at_most(f"refused_questions:{group['name']}", 0),
        )


def n_refused(setting: Setting, name: str) -> float | None:
    """How many questions of this group wait; None where that is not watched."""
    found = _documents(setting)
    return float(sum(each["times"] for each in found["groups"] if each["name"] == name)) if found else None


def _documents(setting: Setting) -> Json:
    return setting.evidence.health.documents if setting.evidence.health else {}
