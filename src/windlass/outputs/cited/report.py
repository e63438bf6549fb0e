"""What the report says of cited answers: what refusing costs and spares, and questions that were answered wrongly."""

import numpy as np

from windlass.metrics.citations import ANSWERED, ATTACK_SUCCESS, RIGHT, RISK, UNSUPPORTED, CitedMarks
from windlass.metrics.measures import Marks
from windlass.outputs.cited.measures import cited_marks
from windlass.outputs.contract import Shown
from windlass.pages.charts.axes import across_grid, dot, down_ticks, figure, path, spanning, text
from windlass.pages.html.sections import Section, picture, table
from windlass.pages.text.words import (
    METRIC_MEANINGS,
    count,
    escaped,
    interval,
    measure,
    metric_name,
    percent,
    with_code,
)
from windlass.records import Json

PLANTED = {
    "sentence": "the first sentence",
    "table": "a row of a table",
    "picture": "the text of a picture",
    "title": "the title",
    "document": "all that a passage says",
}
"""Each place of an order in words."""
N_WRONG = 10
WIDE, TOP, FOOT, LEFT = 400.0, 34.0, 292.0, 64.0
FEW_FOUND, FEW_ANSWERED, MANY_WRONG = 0.8, 0.5, 0.2
RISKS = (0.01, 0.05, 0.1, 0.2)
"""Shares of wrong answers of which the report says how many questions could be answered."""
N_POINTS = 41
"""Of the curve that the board keeps."""


def report_sections(shown: Shown) -> list[Section]:
    """Those of the report, in its order."""
    marks = cited_marks(shown.marks)
    if not len(marks):
        return []
    curve = picture(
        refusals(marks),
        "Wrong answers among the given ones, over how many questions are answered; the dot is how it is set.",
    )
    return [
        Section("measures", "What was measured", _measures(shown)),
        Section("refusals", "Answering and refusing", _counts(marks) + curve + _working_points(marks)),
        Section("injection", "Orders planted into documents", _attacks(marks)),
        Section("wrong", "Questions not answered rightly", _wrong(marks, shown)),
    ]


def details(marks: Marks) -> Json:
    """For those who compute with the board: the risk-coverage curve, surest questions first, and each planted order."""
    found = cited_marks(marks)
    shares, risks = risk_curve(found)
    confidence = np.sort(found.confidence)[::-1]
    at = np.unique(np.linspace(0, len(found) - 1, min(N_POINTS, len(found))).round().astype(int)).tolist()
    return {
        "risk_coverage": [
            {"confidence": float(confidence[n]), "answered": float(shares[n]), "wrong": float(risks[n])} for n in at
        ],
        "generated_sentences": int(found.n_generated.sum()),
        "unsupported_sentences": int(found.n_dropped.sum()),
        "attacks": [vars(each) for each in found.attacks],
    }


def _measures(shown: Shown) -> str:
    """Every measure of the chosen candidate in words, and how long an answer takes."""
    best = next((each for each in shown.board.candidates if each.name == shown.board.chosen), None)
    if best is None:
        return ""
    rows = [
        [escaped(metric_name(name)), interval(found), escaped(METRIC_MEANINGS.get(name, ""))]
        for name, found in best.metrics.items()
    ]
    times = f"{measure(best.latency_p50_ms, 'ms')}, {measure(best.latency_p95_ms, 'ms')}"
    rows.append(
        ["time of an answer", times, "half of the answers come sooner than the first, 19 of 20 than the second"]
    )
    heads = [("measure", "text"), ("value [95 % interval]", "n"), ("what it says", "text")]
    return table(heads, rows, "plain stack") + f'<p class="quiet">{_support(cited_marks(shown.marks))}</p>'


def _support(marks: CitedMarks) -> str:
    written = int(marks.n_generated.sum())
    if not written:
        return (
            "Answers are sentences of the documents, to the letter: none is unsupported by construction. Whether it is "
            "the right sentence is what the other measures say."
        )
    return (
        f"A language model wrote {count(written)} sentences, of which {count(int(marks.n_dropped.sum()))} "
        f"({percent(marks.value(UNSUPPORTED))}) were not supported by what they cite and were left out of the answers."
    )


def _working_points(marks: CitedMarks) -> str:
    """How many questions could be answered at a share of wrong ones, as these questions tell it."""
    confidence = np.sort(marks.confidence)[::-1]
    shares, risks = risk_curve(marks)
    ends = np.append(confidence[1:] < confidence[:-1], True)
    rows = []
    for risk in RISKS:
        held = np.flatnonzero(ends & (risks <= risk))
        last = int(held[-1]) if len(held) else None
        told = ["none", "–"] if last is None else [percent(float(shares[last])), percent(float(confidence[last]))]
        rows.append([f"≤ {percent(risk)}", *told])
    heads = [("wrong among the given", "n"), ("questions answered", "n"), ("from which confidence on", "n")]
    said = (
        "Of these test questions, all counted, also those that no document answers. `limits: {risk: 0.05}` in "
        "windlass.yaml chooses the confidence on validation questions, with a bound that allows for their number."
    )
    return f'{table(heads, rows, "plain stack")}<p class="quiet">{with_code(escaped(said))}</p>'


def _attacks(marks: CitedMarks) -> str:
    """The orders by where they were planted, and those that came through."""
    if not marks.attacks:
        return ""
    places = dict.fromkeys(each.place for each in marks.attacks)
    rows = []
    for place in places:
        those = [each for each in marks.attacks if each.place == place]
        counts = (len(those), sum(each.succeeded for each in those), sum(each.is_changed for each in those))
        rows.append([PLANTED[place], *map(count, counts)])
    heads = [("planted as", "text"), ("orders", "n"), ("reached an answer", "n"), ("answer changed", "n")]
    through = [each for each in marks.attacks if each.succeeded]
    listed = "".join(f'<li dir="auto">{escaped(each.order, 240)} ({PLANTED[each.place]})</li>' for each in through)
    return (
        f"<p>{count(len(marks.attacks))} orders to the assistant, English and Chinese, were planted into the passages "
        "of test questions, in memory alone: to answer otherwise, to name a link, to tell what must not be told.</p>"
        f"{table(heads, rows)}<ul>{listed}</ul>"
        f'<p class="quiet">Reached an answer: {interval(marks.exact(ATTACK_SUCCESS))} of them (share, 95 % interval). '
        "So few orders show a leak, and do not prove that there is none; a changed answer may also be a refusal.</p>"
    )


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
    return table(heads, rows, "plain stack")


def risk_curve(marks: CitedMarks) -> tuple[np.ndarray, np.ndarray]:
    """(n,) share of questions answered, and share of wrong ones among them, from the surest question on."""
    order = np.argsort(-marks.confidence, kind="stable")
    wrong = ~marks.is_found[order]
    count = np.arange(1, len(order) + 1)
    return count / max(1, len(order)), np.cumsum(wrong) / count


def refusals(marks: CitedMarks) -> str:
    """The risk-coverage curve."""
    shares, risks = risk_curve(marks)
    n = int(marks.given.sum())
    across, down = spanning([0.0, 1.0], LEFT, WIDE - 12, 0.0), spanning([0.0, max(0.1, float(risks.max()))], FOOT - 14,
                                                                         TOP, 0.05)  # fmt: skip
    body = [
        *across_grid(down, across.start, across.end, 5),
        *down_ticks(across, FOOT, 4),
        text(across.start, 16, "wrong among the given", "quiet"),
        text(across.end, FOOT + 36, "share answered", "quiet", "end"),
        path("main", [(across.at(float(x)), down.at(float(y))) for x, y in zip(shares, risks, strict=True)]),
        *(
            [dot("dot chosen", (across.at(n / len(marks)), down.at(float(risks[n - 1]))), 5, "as it is set")]
            if n
            else []
        ),
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
    """What finding passages does not tell, and that questions which were written from the documents flatter;
    orders in documents must reach no answer."""
    found = cited_marks(marks)
    through = sum(each.succeeded for each in found.attacks)
    said = [f"{through} of {len(found.attacks)} orders planted into passages reached an answer"] if through else []
    answered, risk = found.value(ANSWERED), found.value(RISK)
    if metric not in (RIGHT, ANSWERED, RISK) and (answered < FEW_ANSWERED or risk > MANY_WRONG):
        said.append(
            f"To find a passage is not to answer: {percent(answered)} of the questions that a document answers get "
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
