"""Which pictures to label next, where answers are boxes: by what is missed, found where nothing is, or seldom there."""

from collections.abc import Iterator
from math import ceil

from windlass.pages.text.words import count, percent, quoted, share
from windlass.planning.context import Setting
from windlass.planning.items.data import ADDED, UNMEASURED, effort
from windlass.planning.items.item import at_least, item
from windlass.records import Item, Json

STEP, LEAST_MISTAKES = 0.5, 5
"""Of the pictures that are there so many more are asked for; and mistakes of a test below which none are."""
FEW_BOXES, MOST_WEAK, FAR = 200, 2, 0.05
"""Train boxes of a class below which it is rare; classes of one plan; AP50 by which a weak one is below the usual."""


def more_pictures(setting: Setting) -> Iterator[Item]:
    """Half as many again, since so many boxes are wrong or missing."""
    found = setting.evidence.board.details.get("mistakes", {})
    whole = sum(found.values())
    if whole < LEAST_MISTAKES:
        return
    n_rows = setting.evidence.n_rows
    more = _round(max(10, STEP * n_rows))
    most = sorted(found.items(), key=lambda each: -each[1])[:3]
    yield item(
        setting,
        id=f"pictures-{n_rows + more}",
        what=f"Label {count(more)} more pictures ({count(n_rows + more)} in all)",
        why=f"{count(whole)} mistakes on {count(setting.evidence.board.n_test)} test pictures; most of them: "
        + ", ".join(f"{name} {count(number)}" for name, number in most),
        evidence="each wrong or missing box of the test pictures by its sort (class, place, both, duplicate, "
        "background, missed: Bolya et al. 2020)",
        method=UNMEASURED,
        sure="rough",
        benefit="fewer boxes that are missed or wrong",
        how="the page's 'Worth a look' shows those of which the model is least sure, then `windlass improve`; or "
        + ADDED,
        acceptance=f"{count(n_rows + more)} pictures to learn from",
        until=at_least("learn_rows", n_rows + more),
        **effort(setting, more, 2),
    )


def weak_classes(setting: Setting) -> Iterator[Item]:
    """More pictures with the classes that are found worst, and are rare in training."""
    told = setting.evidence.board.details.get("classes", {}).items()
    known = [{**each, "name": name} for name, each in told if each.get("ap50") is not None and "boxes" in each]
    labels, n_rows = setting.evidence.prepared.labels.get("train", {}), setting.evidence.n_rows
    if len(known) < 2:
        return
    best = max(each["ap50"] for each in known)
    weak = [each for each in known if each["ap50"] < best - FAR and 0 < labels.get(each["name"], 0) < FEW_BOXES]
    for each in sorted(weak, key=lambda each: each["ap50"])[:MOST_WEAK]:
        yield _class_item(setting, each, labels[each["name"]], n_rows)


def _class_item(setting: Setting, found: Json, have: int, n_rows: int) -> Item:
    """As many boxes of the class again: pictures that hold it, each with as many as it usually has."""
    more = _round(max(10, min(have, n_rows)))
    return item(
        setting,
        id=f"class-{found['name'][:40]}",
        what=f"Label {count(more)} more pictures with {quoted(found['name'])}",
        why=f"it is found worst (AP50 {share(found['ap50'])} on {count(found['boxes'])} test boxes, "
        f"{percent(found['found'])} of them found) and training has {count(have)} boxes of it",
        evidence="average precision of each class on the test pictures, and the boxes of each in training",
        method=UNMEASURED,
        sure="rough",
        benefit=f"{quoted(found['name'])} is found more often",
        how=ADDED,
        acceptance=f"{count(2 * have)} train boxes of it",
        until=at_least(f"least_rows:{found['name']}", 2 * have),
        **effort(setting, more, 2),
    )


def _round(number: float) -> int:
    """To tens, upwards."""
    return 10 * ceil(number / 10)
