"""What the report says of texts: what was written beside the right ones, and rules of the brand that it breaks."""

from windlass.brand import breaches
from windlass.metrics.measures import Marks
from windlass.metrics.texts import RULES_BROKEN, TextMarks, token_f1
from windlass.outputs.contract import Shown
from windlass.pages.html import sections
from windlass.pages.html.sections import Section
from windlass.pages.text.candidates import chosen


def report_sections(shown: Shown) -> list[Section]:
    """Those of the report, in its order."""
    marks = shown.marks
    assert isinstance(marks, TextMarks)
    if not marks.written:
        return []
    return [Section("rules", "Rules of the brand", _rules(shown, marks)),
            Section("texts", "What it wrote", _texts(shown, marks))]  # fmt: skip


def advice(marks: Marks, misses: bool) -> list[str]:
    """Nothing of texts alone."""
    return []


def _rules(shown: Shown, marks: TextMarks) -> str:
    """How many texts break each rule, with the first words that do."""
    best, rules = chosen(shown.board), shown.rules
    if best is None or rules is None or not marks.answers:
        return ""
    found: dict[str, str] = {}
    for answer in marks.answers:
        for rule, faults in breaches(answer, rules).items():
            found.setdefault(rule, faults[0])
    shares = {rule: best.metrics.get(f"{RULES_BROKEN}.{rule}") for rule in rules.in_force}
    return sections.rules({rule: (estimate, found.get(rule, "")) for rule, estimate in shares.items()})


def _texts(shown: Shown, marks: TextMarks) -> str:
    """Answers beside the right ones, from the worst to the best."""
    if not marks.answers:
        return ""
    scores = [
        max(token_f1(answer, right) for right in rights)
        for answer, rights in zip(marks.answers, marks.references, strict=True)
    ]
    return sections.texts(scores, marks.answers, marks.references, list(shown.examples))
