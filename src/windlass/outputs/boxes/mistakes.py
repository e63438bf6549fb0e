"""What sort of mistakes there are, and how far counts are off: for the report, and for who computes with the board."""

from windlass.metrics import counting
from windlass.metrics.detection import BoxMarks
from windlass.metrics.detection_errors import BACKGROUND, BOTH, CLASS, DUPLICATE, MISSED, PLACE, mistakes
from windlass.pages.html.sections import label, table
from windlass.pages.text.words import escaped, percent, share
from windlass.records import Json

MEANINGS = {
    CLASS: "a box at the right place, with another class",
    PLACE: "the right class, but it overlaps its thing by a tenth to a half",
    BOTH: "near a thing, and neither its place nor its class is right",
    DUPLICATE: "a second box on what another one has found",
    BACKGROUND: "a box where nothing is",
    MISSED: "a thing without a box",
}


def section(marks: BoxMarks) -> str:
    """Of the boxes that are given: each sort with its share of all mistakes; and the counts."""
    found = mistakes(marks)
    whole = sum(found.values())
    lines = [[label(name), str(n), share(n / max(1, whole)), escaped(MEANINGS[name])] for name, n in found.items()]
    heads = [("mistake", ""), ("boxes", "n"), ("of all mistakes", "n"), ("what it is", "text")]
    said = f"On {len(marks):,} test pictures, at the scores from which on a box is given."
    shown = f'{table(heads, lines)}<p class="quiet">{said}</p>' if whole else '<p class="quiet">There are none.</p>'
    return shown + _counted(marks)


def _counted(marks: BoxMarks) -> str:
    """How far counts are off, and how often they lie in their intervals."""
    if marks.count_inside is None:
        return ""
    exact = int((marks.n_given.sum(axis=1) == marks.n_there.sum(axis=1)).sum())
    return (
        f'<p class="quiet">The number of boxes is right on {exact:,} of {len(marks):,} test pictures, and lies in its '
        f"interval (made for {percent(counting.SHARE)}) on {percent(float(marks.count_inside.mean()))}.</p>"
    )


def details(marks: BoxMarks) -> Json:
    """Mistakes of each sort; and the share of pictures whose count lies in its interval, where there are such."""
    inside = marks.count_inside
    counts = {} if inside is None or not len(inside) else {"counts_in_interval": float(inside.mean())}
    return {"mistakes": mistakes(marks), **counts}


def of_class(marks: BoxMarks, number: int) -> Json:
    """Right boxes of a class, the share of them that is found, and boxes that are wrong."""
    hits, wrong, there = marks.by_class[number].counts(marks.thresholds[number], marks.weights(None))
    return {"boxes": int(there), "found": hits / there if there else 0.0, "wrong": int(wrong)}
