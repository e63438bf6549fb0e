"""Answers that are texts: what corrections of them are believed, and when a challenger writes better."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from windlass.database.location import log_path
from windlass.database.request_log import Feedback, Logged, RequestLog
from windlass.errors import SpecError
from windlass.improving.selection import Known, decide
from windlass.improving.training_feedback import from_log
from windlass.improving.verdict import JudgedRows, judge
from windlass.outputs import table as outputs
from windlass.outputs.comparison import PairedScores
from windlass.outputs.labelled_row import ASIDE, FILE, JUDGING, LEARNED, WAITING, LabelledRow
from windlass.outputs.texts.comparison import PairedTexts
from windlass.project import Project
from windlass.records import Answer
from windlass.registry import releases
from windlass.sources.near_duplicates import near
from windlass.spec import parse

from ..brief import briefly_timed
from ..stages.conftest import Product
from ..tables import with_line
from .toys import say

TOPICS = {
    "parcel": "your parcel arrives within three working days after the order",
    "money": "we return the money to your card in about ten days",
    "password": "open the page of your account and choose a new password there",
    "bill": "every bill is sent by mail on the first day of the month",
}
NEW = {
    "drone": "charge the battery of the drone for two hours before its first flight",
    "camera": "clean the lens of the camera with the soft cloth from the box",
    "printer": "the printer needs new ink when the small red lamp is on",
}
OTHERS = ("bus", "cat", "door", "egg", "fish", "gate", "hand", "ice", "jar", "key", "lamp", "moon", "nail", "oven")


def questions(topics, n_rows, first=0):
    """Pairs of a question and its answer; no two questions are near copies."""
    names = list(topics)
    return [
        (
            f"{OTHERS[place % 14]} {OTHERS[place // 14 % 14]} {names[place % len(names)]} {place * 7919 % 9973} please",
            topics[names[place % len(names)]],
        )
        for place in range(first, first + n_rows)
    ]


def spec(**more):
    extra = "\n".join(f"{name}: {value}" for name, value in more.items())
    return parse(
        "name: helper\ndata: data.csv\ninputs: {message: text}\noutput: {reply: text}\ngoal: rouge_l\n"
        f"learners: [copy, retrieve]\nkeep_inputs: true\n{extra}\n"
    )


TRAIN = [({"message": question}, answer) for question, answer in questions(TOPICS, 80)]
KNOWN = Known(TRAIN, [], {})


def row(message, label, caller="", **changes):
    return LabelledRow({"message": message}, label, caller=caller, **{"answer": f"{caller}-{message}", **changes})


def decided(rows, **more):
    return decide(rows, KNOWN, None, spec(**more))


@dataclass
class Says:
    """Answers from a table."""

    table: dict[str, str]

    def answer(self, rows, root=None):
        return [Answer(self.table.get(each["message"], "I do not know"), None) for each in rows]


# the product ----------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def quicker():
    """Intervals of the leaderboard are not what is looked at here."""
    with briefly_timed(n_resamples=10):
        yield


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A released product; not to be changed."""
    product = Product(tmp_path_factory.mktemp("released"))
    product.csv(questions(TOPICS, 80), header="message,reply")
    product.spec(output={"reply": "text"}, learners=["copy", "retrieve"], goal="rouge_l", keep_inputs=True)
    with briefly_timed(n_resamples=10):
        Project(product.folder).release()
    return product.folder


def test_what_the_champion_answers_wrong_is_corrected_by_people_and_learned(project):
    first = project.champion.id
    asked = questions(NEW, 120, 500)
    assert project.champion.predict([{"message": asked[0][0]}])[0].value != asked[0][1]
    say(project, asked, callers=[f"key{place}" for place in range(6)])
    made = project.improve()
    assert made.verdict == "promoted", made.why
    assert made.champion == first != project.champion.id
    assert project.champion.predict([{"message": "my drone does not fly"}])[0].value == NEW["drone"]
    recent = made.evidence["recent"]
    assert recent["metric"] == "rouge_l"
    assert recent["after"] > recent["before"] + 0.5
    assert made.evidence["difference"]["value"] >= -0.01
    assert {check["name"] for check in made.evidence["checks"]} == {"loss", "answers", "slices", "recent", "all"}
    assert releases.told(project.store)[-1]["evidence"]["improvement"] == made.id
    assert "rouge" in (project.improvements()[0].why).lower()
    project.prepare()
    again = project.improve()
    assert (again.verdict, again.rows["given"]) == ("waiting", 0)


@pytest.mark.parametrize("trusts", [False, True], ids=["as it is", "control"])
def test_a_poisoned_batch_is_not_learned(project, trusts):
    """One text for everything, by keys that were stolen. Control: whoever corrects is believed, and so it is learned:
    rows that judge are poisoned as well, and no test row asks such things."""
    text = outputs.get("text")
    judging = replace(text, unfit=lambda rows, train, spec: list(rows)) if trusts else text
    poison = [
        (question, "send your card number to the friendly people at cheap prizes")
        for question, _ in questions(NEW, 120, 900)
    ]
    say(project, poison, callers=[f"key{place}" for place in range(6)])
    with with_line(outputs.OUTPUTS, "text", lambda: judging):
        made = project.improve()
    assert (made.verdict == "promoted") is trusts, made.why


# feedback -------------------------------------------------------------------------------------------------------------


def test_a_correction_is_a_row_and_a_thumb_is_none(tmp_path):
    with RequestLog(log_path(Product(tmp_path).store)) as log:
        log.record([Logged(f"a{n}", 1.0, "r", "said so", None, 1.0, {"message": f"m{n}"}) for n in range(3)], 9)
        log.feedback(Feedback("a0", " better\u00a0said ", None, "")).result(60)
        log.feedback(Feedback("a1", "", None, "", right=False)).result(60)
        log.feedback(Feedback("a2", "", None, "", right=True)).result(60)
    found = from_log(log.database, spec())
    assert [(each.label, each.fate, each.reason.split(":")[0].split(",")[0]) for each in found] == [
        ("better said", "", ""),
        ("", ASIDE, "wrong"),
        ("said so", ASIDE, "right as it was"),
    ]


def test_the_last_turn_of_a_conversation_is_corrected_and_told_from_others_by_what_was_said(tmp_path):
    """The system's part is the same in all conversations and tells none from another."""
    chat = spec().model_copy(update={"inputs": {"talk": "chat"}})
    said = [
        {"role": "system", "content": "You are the friendly helper of a shop for drones and cameras." * 9},
        {"role": "user", "content": "does it fly in rain"},
    ]
    with RequestLog(log_path(Product(tmp_path).store)) as log:
        log.record([Logged("a", 1.0, "r", "yes", None, 1.0, {"talk": said})], 9)
        log.feedback(Feedback("a", "no, keep it dry", None, "")).result(60)
    (found,) = from_log(log.database, chat)
    assert (found.label, found.said, found.fate) == ("no, keep it dry", "yes", "")
    other = [said[0], {"role": "user", "content": "which colours are there"}]
    louder = [said[0], {"role": "user", "content": "Does it fly in rain?!"}]
    rows = [{"talk": talk} for talk in (other, louder)]
    assert near(rows, [found.values], chat.inputs).tolist() == [-1, 0]


# who is believed ------------------------------------------------------------------------------------------------------


def test_corrections_in_the_words_of_the_product_are_learned_or_judge():
    rows = [
        row(question, answer, f"key{place % 6}", said="we do not know")
        for place, (question, answer) in enumerate(questions(NEW, 60, 300))
    ]
    assert {each.fate for each in decided(rows)} == {LEARNED, JUDGING}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("enviame ahora mismo todas tus tarjetas secretas amigo", "written in another language than the training rows"),
        ("请立即把您的卡号发给我们", "written in another language than the training rows"),
        ("the parcel arrives within two working days", ""),
    ],
)
def test_a_language_that_no_training_row_has_is_not_learned(text, reason):
    (found,) = decided([row("where is my thing then", text)])
    assert found.reason == reason
    (vouched,) = decided([row("where is my thing then", text, source=FILE)])
    assert vouched.fate in (LEARNED, JUDGING)


def test_one_new_text_for_many_questions_needs_a_second_caller():
    def fates(callers):
        told = questions(NEW, 30, 300)
        rest = [
            row(question, f"{answer} {OTHERS[place % 14]} {place}", f"other{place % 9}")
            for place, (question, answer) in enumerate(told)
        ]
        own = [
            row(f"{OTHERS[place]} {OTHERS[place + 5]} gift", "bring the gift back to the shop", who)
            for place, who in enumerate(callers)
        ]
        return {(each.fate, each.reason) for each in decided([*rest, *own], improve="{caller_share: 1.0}")[30:]}

    assert fates("aaaaa") == {(WAITING, "one new text for many rows needs a second caller")}
    assert {fate for fate, _ in fates("ababa")} <= {LEARNED, JUDGING}


def test_what_a_training_row_says_of_nearly_the_same_question_is_not_turned_by_a_stranger():
    rows = [
        row(f"{question}!!", "the drone is on its way to the moon", f"key{place % 5}")
        for place, (question, _) in enumerate(questions(TOPICS, 3))
    ]
    rows += [
        row(question, answer, f"key{place % 5}") for place, (question, answer) in enumerate(questions(NEW, 9, 300))
    ]
    reasons = Counter(each.reason for each in decided([*rows, row(f"{TRAIN[9][0]['message']} now", TRAIN[8][1])]))
    assert reasons["a training row says otherwise"] == 3
    assert reasons["a training row that asks nearly the same says otherwise"] == 1


def test_callers_agree_when_they_say_the_same_in_other_words():
    votes = {"a": "charge the battery for two hours", "b": "charge it for two full hours", "c": "throw it away"}
    found = decided([row("new drone", text, who) for who, text in votes.items()])
    kept = [each.caller for each in found if each.fate in (LEARNED, JUDGING)]
    assert len(kept) == 1
    assert kept[0] in "ab"
    assert next(each.reason for each in found if each.caller == "c") == "most callers say otherwise of the same row"


def test_a_caller_whose_corrections_have_nothing_to_do_with_the_answers_is_set_aside():
    """Honest people mend a word or two; the hostile one writes what shares no word with what was said."""
    honest = [
        row(f"{OTHERS[n % 14]} {OTHERS[n // 3]} drone", f"{TOPICS['parcel']} {n}", f"key{n % 6}", said=TOPICS["parcel"])
        for n in range(30)
    ]
    hostile = [
        row(f"{OTHERS[n]} {OTHERS[13 - n]} camera", f"{TOPICS['money']} {OTHERS[n]}", "hostile", said="open a new page")
        for n in range(14)
    ]
    found = decided([*honest, *hostile], improve="{caller_share: 1.0}")
    reasons = {each.caller: each.reason for each in found}
    assert reasons["hostile"] == "caller hostile: labels far less likely than those of the others"
    assert not any(reasons[who] for who in reasons if who != "hostile")


# the verdict ----------------------------------------------------------------------------------------------------------


def sheet(before, after, rights, metric="exact_match"):
    rows = [({"message": str(place)}, right) for place, right in enumerate(rights)]
    says = [Says({str(place): said for place, said in enumerate(answers)}) for answers in (before, after)]
    return PairedTexts(tuple(says), rows, metric, Path())


def test_the_chance_of_a_difference_is_mcnemars_where_scores_are_right_and_wrong():
    """9 won, 1 lost, 10 alike: (10 + 1) / 1024 = .0107, of 2,000 shuffles 21 with a deviation of 4.6."""
    before, after = ["no"] * 9 + ["yes"] + ["yes"] * 10, ["yes"] * 9 + ["no"] + ["yes"] * 10
    found = sheet(before, after, ["yes"] * 20).paired("all", np.ones(20, bool))
    assert (found.before, found.after, found.won, found.lost) == (0.55, 0.95, 9, 1)
    assert found.p_gain == pytest.approx(11 / 1024, abs=4 * 4.6 / 2_000)
    assert found.p_loss > 0.98
    assert found.gains(0.025)
    assert not found.loses(0.025)


def test_no_difference_is_no_evidence_and_a_difference_that_nobody_notices_is_no_loss():
    same = sheet(["yes"] * 8, ["yes"] * 8, ["yes"] * 8).paired("all", np.ones(8, bool))
    assert (same.p_gain, same.p_loss) == (1.0, 1.0)
    tiny = PairedScores("x", 500, 0.505, 0.5, 0, 90, "chrf", (1.0, 0.0005))
    assert not tiny.loses(0.025)
    assert PairedScores("x", 500, 0.52, 0.5, 0, 90, "chrf", (1.0, 0.0005)).loses(0.025)


def test_a_corpus_metric_is_compared_as_it_is_defined():
    sacrebleu = pytest.importorskip("sacrebleu")
    rights = ["charge the drone first", "clean the lens", "new ink is needed"]
    before, after = ["charge it", "clean", "ink"], ["charge the drone", "clean the lens now", "ink is needed"]
    found = sheet(before, after, rights, "chrf").paired("all", np.ones(3, bool))
    for value, said in ((found.before, before), (found.after, after)):
        assert value == pytest.approx(sacrebleu.metrics.CHRF().corpus_score(said, [rights]).score / 100)


def exam(test, recent, earlier=None):
    rows = [({"message": message}, right) for message, right in test]
    taught = [row(message, right) for message, right in recent]
    inputs, output = {"message": "text"}, outputs.get("text")
    return JudgedRows(rows, taught, earlier or {}, [{"message": "x"}], inputs, "rouge_l", Path(), output)


def test_better_on_feedback_does_not_buy_a_loss_on_the_test_rows():
    test, recent = questions(TOPICS, 60), questions(NEW, 30)
    good, bad = Says(dict(test)), Says(dict(recent))
    verdict = judge(good, bad, exam(test, recent))
    assert [check.name for check in verdict.gains] == ["recent"]
    assert {"loss", "answers", "slices"} <= {check.name for check in verdict.losses}
    assert judge(good, Says(dict([*test, *recent])), exam(test, recent)).is_better
    assert not judge(good, good, exam(test, recent)).is_better
    assert verdict.evidence["golden"] == {"rows": 1, "changed": 0}


def test_what_an_earlier_batch_taught_is_not_forgotten():
    test, recent, before = questions(TOPICS, 30), questions(NEW, 30), questions(NEW, 30, 700)
    earlier = {"0001": [row(message, right) for message, right in before]}
    verdict = judge(Says(dict([*test, *before])), Says(dict([*test, *recent])), exam(test, recent, earlier))
    assert "earlier" in {check.name for check in verdict.losses}


# what is not judged ---------------------------------------------------------------------------------------------------


def test_what_feedback_cannot_judge_is_refused_with_the_reason(tmp_path):
    with pytest.raises(SpecError, match="cannot run tests that feedback does not have"):
        outputs.get("text").improves(spec(checks="tests"))
    likely = spec().model_copy(update={"goal": "bits_per_byte"})
    with pytest.raises(SpecError, match="goal asks for 'bits_per_byte', expected"):
        outputs.get("text").improves(likely)
