"""Which rows are believed: every one of them has a fate, and a caller or a near-copy cannot have its way."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from windlass.improving.selection import counts, decide
from windlass.improving.trust import cap
from windlass.outputs.labelled_row import ASIDE, FILE, JUDGING, LEARNED, WAITING
from windlass.outputs.labels.new_labels import is_separable
from windlass.outputs.labels.trust import _limit, unlikely
from windlass.outputs.trust import Known
from windlass.sources import near_duplicates
from windlass.sources.near_duplicates import near

from .toys import WORDS, champion, row, spec

TRAIN = Known([({"message": f"old {word}"}, label) for label, word in WORDS.items()], [], {})


def long_word(place: int) -> str:
    """One that makes a row another one, and no near copy."""
    return chr(97 + place // 5) * 9 + chr(110 + place % 5) * 9


def tells_by_word(word):
    """A cheap model that tells a label by a word."""
    return lambda pairs, rows, label: np.array([1.0 if word in row["message"] else 0.0 for row in rows])


@pytest.fixture
def knows(tmp_path):
    return champion(tmp_path)


def test_each_row_ends_as_learned_judging_set_aside_or_waiting_and_is_counted(knows):
    rows = [row(f"question {place} about a thing", "refund", caller=f"key{place % 3}") for place in range(60)]
    rows += [row("no label known", "", caller="key1").becomes(ASIDE, "nobody said"), row("new", "invoice")]
    found = decide(rows, TRAIN, knows, spec())
    assert {each.fate for each in found} <= {LEARNED, JUDGING, ASIDE, WAITING}
    told = counts(found)
    assert told["given"] == len(rows)
    assert told["given"] == told[LEARNED] + told[JUDGING] + sum(told[ASIDE].values()) + sum(told[WAITING].values())


def test_a_near_copy_of_a_row_that_judges_is_never_learned(knows):
    known = Known(TRAIN.train, [{"message": "Where on earth is the parcel that I ordered on Monday?"}], {})
    copies = [row("where on earth is the parcel that I ordered on Monday", "delivery", answer="one")]
    copies += [row("Where on earth is the parcel that I ordered on Mondays?!", "refund", answer="two")]
    other = row("where is the town of Monday", "delivery", answer="three")
    found = decide([*copies, other], known, knows, spec())
    assert [each.reason for each in found[:2]] == ["nearly the same as a row that judges"] * 2
    assert found[2].fate in (LEARNED, JUDGING)


def test_rows_of_a_table_are_copies_only_when_they_are_equal():
    kinds = {"age": "number", "town": "category"}
    rows = [{"age": 41.0, "town": "Ulm"}, {"age": 42.0, "town": "Ulm"}]
    assert near(rows, [{"age": 42.0, "town": "Ulm"}], kinds).tolist() == [-1, 0]


def test_a_caller_gives_at_most_a_twentieth_of_a_batch():
    """20 callers of 10 rows and one of 200: c <= 0.05 (200 + c), so c is 10."""
    rows = [row(f"m{place}", "refund", caller=f"key{place % 20}") for place in range(200)]
    rows += [row(f"h{place}", "refund", caller="hostile") for place in range(200)]
    found = cap(rows, 0.05)
    taken = Counter(each.caller for each in found if not each.fate)
    assert taken["hostile"] == 10
    assert sum(taken.values()) == 210
    assert all(each.fate == WAITING for each in found if each.fate)


def test_few_callers_share_equally_and_a_lone_one_gives_all():
    """Five callers cannot give a twentieth each; what a person puts into a file is not capped."""
    few = [row(f"m{place}", "refund", caller="one" if place < 80 else f"key{place % 4}") for place in range(100)]
    assert Counter(each.caller for each in cap(few, 0.05) if not each.fate) == {
        "one": 5,
        "key0": 5,
        "key1": 5,
        "key2": 5,
        "key3": 5,
    }
    alone = [row(f"m{place}", "refund") for place in range(100)]
    assert not any(each.fate for each in cap(alone, 0.05))
    both = [*(row(f"f{place}", "refund", source=FILE) for place in range(200)), *few]
    assert Counter(each.who for each in cap(both, 0.05) if not each.fate)["file"] == 200


def test_callers_who_disagree_about_a_row_are_settled_by_most_of_them_or_by_a_person(knows):
    votes = {"a": "refund", "b": "refund", "c": "account"}
    most = [row("Please help!", label, caller=who) for who, label in votes.items()]
    found = decide(most, TRAIN, knows, spec())
    assert sorted(each.fate for each in found) in (sorted([LEARNED, ASIDE, ASIDE]), sorted([JUDGING, ASIDE, ASIDE]))
    assert next(each for each in found if each.fate in (LEARNED, JUDGING)).label == "refund"
    split = decide([row("please help", "refund", "a"), row("please, help", "account", "b")], TRAIN, knows, spec())
    assert {each.reason for each in split} == {"callers disagree about the same row"}
    told = row("please help", "delivery", source=FILE, answer="file:1")
    assert {each.label for each in decide([*most, told], TRAIN, knows, spec()) if each.fate != ASIDE} == {"delivery"}


def test_what_training_says_already_or_says_otherwise_is_not_learned_twice(knows):
    found = decide([row("Old PASSWORD", "account"), row("old, parcel", "refund")], TRAIN, knows, spec())
    assert [each.reason for each in found] == ["a training row says so already", "a training row says otherwise"]


def test_a_later_correction_of_a_learned_answer_is_learned_in_its_place(knows):
    known = Known(
        [*TRAIN.train, ({"message": "odd thing"}, "refund")], [], {"a1": row("odd thing", "refund", answer="a1")}
    )
    same, other = row("odd thing", "refund", answer="a1"), row("odd thing", "account", answer="a1")
    assert decide([same], known, knows, spec()) == []
    assert decide([other], known, knows, spec())[0].fate in (LEARNED, JUDGING)


def test_a_new_label_needs_the_product_files_leave_enough_rows_and_two_callers(knows):
    def bills(callers):
        return [row(f"bill {letters(place)}", "invoice", caller=who) for place, who in enumerate(callers)]

    crowd = [row(f"thing {place}", "refund", caller=f"key{place % 9}") for place in range(90)]

    def fate(rows, **improve):
        train = [*TRAIN.train, *(({"message": f"my {letters(40 + place)}"}, "account") for place in range(9))]
        known = replace(TRAIN, train=train, cheap=tells_by_word("bill"))
        found = decide([*crowd, *rows], known, knows, spec(**improve))[len(crowd) :]
        return {(each.fate, each.reason.split(" (")[0]) for each in found}

    assert fate(bills("ab" * 6)) == {(ASIDE, "the product does not know the label")}
    assert fate(bills("ab" * 3), new_labels=10) == {(WAITING, "a new label needs 10 rows")}
    assert fate(bills("a" * 12), new_labels=10) == {(WAITING, "a new label needs a second caller")}
    assert {each[0] for each in fate(bills("ab" * 6), new_labels=10)} <= {LEARNED, JUDGING}


def test_a_caller_whose_corrections_are_far_less_likely_than_those_of_others_is_set_aside(tmp_path):
    """A champion that wavers: honest corrections name its second guess, the hostile ones what it rules out."""
    wavers = champion(tmp_path, 3.0)
    honest = [row(f"money money and parcel {long_word(place)}", "delivery", f"key{place % 6}") for place in range(30)]
    hostile = [row(f"password password {long_word(place)} please", "refund", "hostile") for place in range(20)]
    found = decide([*honest, *hostile], TRAIN, wavers, spec(caller_share=1.0))
    reasons = {each.caller: each.reason for each in found}
    assert reasons["hostile"] == "caller hostile: labels far less likely than those of the others"
    assert not any(reasons[who] for who in reasons if who != "hostile")


def test_feedback_that_mostly_contradicts_a_sure_champion_is_not_believed_at_all(knows):
    """Stolen keys: what is left without the doubted rows would be no truer. Of a label alone, too."""
    truth = [
        row(f"{WORDS[label]} {label[place % 5 :]} {place}", label, f"key{place % 9}")
        for place in range(12)
        for label in WORDS
    ]
    false = [row(f"password {place} {chr(97 + place) * 5}", "refund", f"key{place % 9}") for place in range(20)]
    unsure = [row(f"what now {place} {chr(97 + place) * 4}", "refund", f"key{place % 9}") for place in range(9)]
    found = decide([*false, *unsure], TRAIN, knows, spec())
    assert {each.reason for each in found} == {"too much of the feedback contradicts what the champion is sure of"}
    found = decide([*truth, *false, *unsure], TRAIN, knows, spec())
    told = "too much of the feedback with this label contradicts what the champion is sure of"
    assert {each.reason for each in found if each.label == "refund"} == {told}
    assert not any(each.reason == told for each in found if each.label != "refund")


def test_many_nearly_equal_rows_against_a_sure_champion_wait_for_a_person_even_from_a_lone_caller(knows):
    campaign = [row(f"my password is lost, my dear friends {place}", "refund") for place in range(6)]
    lesson = [row("my password is lost and I want to go home", "refund")]
    reasons = Counter(each.reason for each in decide(campaign, TRAIN, knows, spec()))
    assert reasons == {"many rows say nearly the same, against what the champion is sure of": 6}
    assert decide(lesson, TRAIN, knows, spec())[0].fate in (LEARNED, JUDGING)


def test_near_copies_count_once(knows):
    """A text sent again and again is no more evidence than once: as judges, copies had promoted a poisoned batch."""
    copies = [row(f"what do I do now with my {place}", "refund", f"key{place}") for place in range(9)]
    found = decide(copies, TRAIN, knows, spec(caller_share=1.0))
    assert sum(each.fate in (LEARNED, JUDGING) for each in found) == 1
    assert Counter(each.reason for each in found)["nearly the same as another new row"] == 8


@pytest.mark.parametrize("block", [2, 3, 100])
def test_rows_that_are_compared_block_by_block_are_as_near_as_all_at_once(block):
    """The nearest, of equals the first; chains of near rows are one group across blocks."""
    kinds = {"message": "text"}
    texts = [
        "where is my parcel today",
        "refund the money please",
        "Where is my parcel, today?",
        "a cat",
        "refund the money, please",
        "where is my parcel today!",
        "dogs bark at night",
    ]
    rows = [{"message": text} for text in texts]
    assert near(rows, rows, kinds, block=block).tolist() == [0, 1, 0, 3, 1, 0, 6]
    groups = near_duplicates.alike(rows, kinds, block=block).tolist()
    assert [groups.index(group) for group in groups] == [0, 1, 0, 3, 1, 0, 6]


def letters(place):
    """A word of its own for each place: rows that say different things."""
    return chr(97 + place % 26) * 7 + chr(97 + place // 26) * 7


def test_a_label_is_doubted_below_what_nearly_all_known_mistakes_reach():
    """Of 40 mistakes, 0.05 * 41 = 2.05: the second smallest. With fewer than 20 nothing is said, and a tenth of what a
    label has by chance is the limit."""
    given = np.arange(1, 41) / 1000
    right = np.array([0.95, np.nan])
    assert _limit(np.append(given, right), np.append(np.full(40, 0.5), [0.95, 0.9])) == 0.002
    assert _limit(given[:19], np.full(19, 0.5)) is None
    assert (unlikely(3), unlikely(100)) == (0.02, 0.001)


@pytest.mark.parametrize(
    ("scores", "expected"), [([0.9] * 10, True), ([0.5] * 10, False), ([0.9] * 7 + [0.1] * 3, None), ([0.9], None)]
)
def test_a_new_label_is_told_apart_or_not_or_needs_more_rows(scores, expected):
    """Old rows have 0.5. Chances to be above: 1; 1/2 each; 0.7 with a standard error of 0.153: three reach 0.8."""
    rows = [row(f"thing {letters(place)}", "invoice", answer=str(place)) for place in range(len(scores))]
    given = {each.values["message"]: score for each, score in zip(rows, scores, strict=True)}
    known = Known(
        [({"message": f"old {letters(100 + place)}"}, "refund") for place in range(20)],
        [],
        {},
        cheap=lambda pairs, asked, label: np.array([given.get(each["message"], 0.5) for each in asked]),
    )
    assert is_separable(rows, ["refund"] * len(rows), known, {"message": "text"}) is expected


def test_a_new_label_that_renames_an_old_one_is_set_aside(knows):
    """By a model that cannot tell them. Control: by one that can."""
    crowd = [row(f"thing {place}", "refund", caller=f"key{place % 9}") for place in range(90)]
    renamed = [row(f"password {letters(place)}", "invoice", caller="ab"[place % 2]) for place in range(12)]
    train = [*TRAIN.train, *(({"message": f"password {letters(50 + place)}"}, "account") for place in range(12))]
    wishes = spec(new_labels=10)
    found = decide([*crowd, *renamed], replace(TRAIN, train=train), knows, wishes)[90:]
    assert {each.reason for each in found} == {"a new label that cannot be told from those the product knows"}
    told = {each.values["message"] for each in renamed}
    knowing = replace(TRAIN, train=train, cheap=lambda _, rows, label: np.array([r["message"] in told for r in rows]))
    assert not any("told" in each.reason for each in decide([*crowd, *renamed], knowing, knows, wishes)[90:])


def settled(n_rows, label, first=0, **changes):
    texts = [f"{WORDS[label]} {letters(first + place)}" for place in range(n_rows)]
    rows = [row(text, label, f"key{place % 9}", **changes) for place, text in enumerate(texts)]
    return {each.answer: each for each in rows}


def test_what_is_left_of_honest_feedback_is_no_lie(knows):
    """Twelve doubtful rows are a lot of the twelve that are left, and little of the sixty that were given. Control:
    nothing was learned before."""
    left = [row(f"password {letters(place)}", "refund", f"key{place % 9}") for place in range(12)]
    before = settled(48, "refund", 30)
    told = "too much of the feedback contradicts what the champion is sure of"
    known = decide([*before.values(), *left], replace(TRAIN, learned=before), knows, spec())
    alone = decide(left, TRAIN, knows, spec())
    assert {each.reason for each in alone} == {told}
    assert not any("too much" in each.reason for each in known)


def test_a_long_honest_history_hides_no_burst_of_lies(knows):
    """60 of the last 100 rows contradict: far above a quarter, though 60 of all 460 are below."""
    before = settled(360, "delivery", 0, at=1.0)
    lies = [row(f"password {letters(place)}", "refund", f"key{place % 9}", at=2.0) for place in range(60)]
    truth = [row(f"what now {letters(place + 200)}", "account", f"key{place % 9}", at=2.0) for place in range(40)]
    found = decide([*before.values(), *lies, *truth], replace(TRAIN, learned=before), knows, spec())
    assert all(each.reason.startswith("too much of the feedback") for each in found if each.label == "refund")
    calm = decide([*before.values(), *truth], replace(TRAIN, learned=before), knows, spec())
    assert not any("too much" in each.reason for each in calm)


def test_what_a_person_accepted_is_believed_and_what_he_vouched_for_is_not_capped(knows):
    doubtful = [row(f"password {letters(place)}", "refund", f"key{place % 9}", is_vouched=True) for place in range(12)]
    found = decide(doubtful, TRAIN, knows, spec())
    assert {each.fate for each in found} <= {LEARNED, JUDGING}
