"""What the report says of cited answers: what refusing costs and spares, and questions that were answered wrongly."""

import numpy as np

from windlass.metrics.citations import ANSWERED, RIGHT, RISK, CitedMarks
from windlass.metrics.measures import Marks
from windlass.outputs.cited.measures import cited_marks
from windlass.outputs.contract import Shown
from windlass.pages.charts.axes import across_grid, down_ticks, figure, path, spanning, text
from windlass.pages.html.sections import Section, picture, table
from windlass.pages.text.words import escaped, percent

N_WRONG = 10
WIDE, TOP, FOOT, LEFT = 400.0, 34.0, 292.0, 64.0
FEW_FOUND, FEW_ANSWERED, MANY_WRONG = 0.8, 0.5, 0.2


def report_sections(shown: Shown) -> list[Section]:
    """Those of the report, in its order."""
    marks = cited_marks(shown.marks)
    if not len(marks):
        return []
    curve = picture(refusals(marks), "Wrong answers among the given ones, over how many questions are answered.")
    return [
        Section("refusals", "Answering and refusing", _counts(marks) + curve),
        Section("wrong", "Questions not answered rightly", _wrong(marks, shown)),
    ]


def _counts(marks: CitedMarks) -> str:
    answerable, given, right = marks.answerable, marks.given, marks.right
    rows = [
        ["a document answers", str(int(answerable.sum())), str(int((answerable & given & right).sum())),
         str(int((answerable & given & ~right).sum())), str(int((answerable & ~given).sum()))],
        ["no document answers", str(int((~answerable).sum())), "–", str(int((~answerable & given).sum())),
         str(int((~answerable & ~given).sum()))],
    ]  # fmt: skip
    heads = [("question", "text"), ("questions", "n"), ("answered rightly", "n"), ("answered wrongly", "n"),
             ("refused", "n")]  # fmt: skip
    return table(heads, rows)


def risk_curve(marks: CitedMarks) -> tuple[np.ndarray, np.ndarray]:
    """(n,) share of questions answered, and share of wrong ones among them, from the surest question on."""
    order = np.argsort(-marks.confidence, kind="stable")
    wrong = ~marks.is_found[order]
    count = np.arange(1, len(order) + 1)
    return count / max(1, len(order)), np.cumsum(wrong) / count


def refusals(marks: CitedMarks) -> str:
    """The risk-coverage curve."""
    shares, risks = risk_curve(marks)
    across, down = spanning([0.0, 1.0], LEFT, WIDE - 12, 0.0), spanning([0.0, max(0.1, float(risks.max()))], FOOT - 14,
                                                                         TOP, 0.05)  # fmt: skip
    body = [
        *across_grid(down, across.start, across.end, 5),
        *down_ticks(across, FOOT, 4),
        text(across.start, 16, "wrong among the given", "quiet"),
        text(across.end, FOOT + 36, "share answered", "quiet", "end"),
        path("main", [(across.at(float(x)), down.at(float(y))) for x, y in zip(shares, risks, strict=True)]),
    ]
    return figure("what refusing spares", body, (WIDE, FOOT + 42))


def _wrong(marks: CitedMarks, shown: Shown) -> str:
    places = np.flatnonzero(~marks.right)
    places = places[np.argsort(-marks.confidence[places] * marks.given[places], kind="stable")][:N_WRONG].tolist()
    if not places:
        return "<p>None.</p>"
    rows = [
        [f'<span dir="auto">{escaped(shown.examples[place], 240)}</span>',
         f'<span dir="auto">{escaped(marks.said[place] or "(refused)", 240)}</span>',
         f'<span dir="auto">{escaped(marks.wanted[place], 240)}</span>', percent(float(marks.confidence[place]))]
        for place in places
    ]  # fmt: skip
    heads = [("question", "text"), ("answered", "text"), ("right answer", "text"), ("confidence", "n")]
    return table(heads, rows, "plain stack")


def remarks(marks: Marks, metric: str) -> list[str]:
    """What finding passages does not tell, and that questions which were written from the documents flatter."""
    found, said = cited_marks(marks), list[str]()
    answered, risk = found.value(ANSWERED), found.value(RISK)
    if metric not in (RIGHT, ANSWERED, RISK) and (answered < FEW_ANSWERED or risk > MANY_WRONG):
        said.append(
            f"To find a passage is not to answer: {percent(answered)} of the test questions that a document answers get "
            f"an answer, the others are refused; {percent(risk)} of the answers are wrong."
        )
    if found.n_written:
        said.append(
            f"{found.n_written:,} of the {len(found):,} test questions were written from the documents: they show that "
            "passages are found, not how people's questions are answered."
        )
    return said


def advice(marks: Marks, misses: bool) -> list[str]:
    """Whether finding or reading is the weaker part, and whether much is refused."""
    found, steps = cited_marks(marks), []
    recall, answered = found.value("recall_at_5"), found.value("answered")
    if misses and recall < FEW_FOUND:
        steps.append(
            f"The right passage is among the first five for {percent(recall)} of the questions: documents in the words "
            "that people ask with, or a title that names the subject, would help most."
        )
    if misses and answered < FEW_FOUND:
        steps.append(
            f"{percent(1 - answered)} of the questions that a document answers are refused: more questions with their "
            "answers make it surer, `limits: {risk: ...}` says how many answers may be wrong."
        )
    return steps
