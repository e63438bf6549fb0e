"""Metrics of written answers against hand calculations, sacrebleu's and rouge_score's own, and simulations."""

import itertools
import math

import numpy as np
import pytest
import sacrebleu
from scipy.stats import binomtest

from windlass.blueprints import catalogue
from windlass.metrics import texts as text_metrics
from windlass.metrics.measures import bootstrap, paired_difference, wilson
from windlass.metrics.texts import (
    BITS,
    TEXT_METRICS,
    TextMarks,
    distinct,
    exact_match,
    mean,
    normalised,
    pass_at_k,
    repetition,
    rouge_l,
    rouge_n,
    token_f1,
    toxic,
    word_list,
    words,
)

ENGLISH = (
    ["The cat sat on the mat.", "It is raining in Paris today", "", 'He said: "no, thanks" & left.', "a b c d e f"],
    [
        ["The cat is sitting on the mat."],
        ["Today it is raining in Paris.", "It rains in Paris today."],
        ["Something should be here."],
        ['He said "no thank you" and left.', '"No, thanks", he said & left.', "He left."],
        ["a b c d e f"],
    ],
)
CHINESE = (
    ["今天巴黎在下雨。", "猫坐在垫子上", "", "他说“不用了”，然后走了。"],
    [["今天巴黎下雨了。", "巴黎今天有雨。"], ["猫正坐在垫子上。"], ["这里应该有字"], ["他说“不用，谢谢”，就走了。"]],
)


def columns(references):
    """As sacrebleu wants them: one list a place, None where a row has no such reference."""
    most = max(map(len, references))
    return [[rights[place] if place < len(rights) else None for rights in references] for place in range(most)]


def by_peer(metric, answers, references, is_chinese):
    if metric == "chrf":
        return sacrebleu.corpus_chrf(answers, columns(references)).score / 100
    return sacrebleu.corpus_bleu(answers, columns(references), tokenize="zh" if is_chinese else "13a").score / 100


# chrF and BLEU --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["chrf", "bleu"])
@pytest.mark.parametrize(("texts", "is_chinese"), [(ENGLISH, False), (CHINESE, True)], ids=["english", "chinese"])
def test_corpus_scores_equal_sacrebleu(metric, texts, is_chinese):
    """With an empty answer, and with one to three right answers a row."""
    wanted = by_peer(metric, *texts, is_chinese)
    assert 0.1 < wanted < 1
    assert TextMarks(*texts).value(metric) == pytest.approx(wanted, abs=1e-12)


def test_chinese_split_at_spaces_would_score_otherwise():
    """Control: the test above sees which tokens are counted."""
    assert by_peer("bleu", *CHINESE, False) < by_peer("bleu", *CHINESE, True) - 0.05


@pytest.mark.parametrize("metric", ["chrf", "bleu"])
def test_resampled_corpus_scores_equal_sacrebleu_on_the_same_rows(metric):
    """Sums over rows are resampled instead of texts; a row that comes twice counts twice."""
    marks, random = TextMarks(*ENGLISH), np.random.default_rng(1)
    for _ in range(20):
        rows = random.integers(0, 5, 5)
        answers, references = ([side[row] for row in rows] for side in ENGLISH)
        assert marks.value(metric, rows) == pytest.approx(by_peer(metric, answers, references, False), abs=1e-12)


@pytest.mark.parametrize("metric", ["chrf", "bleu"])
def test_a_perfect_corpus_scores_one_and_a_foreign_one_zero(metric):
    rights = ["the quick brown fox jumps over the lazy dog"] * 3
    assert TextMarks(rights, [[right] for right in rights]).value(metric) == pytest.approx(1)
    assert TextMarks(["我"] * 3, [[right] for right in rights]).value(metric) < 0.01


def test_another_right_answer_never_lowers_a_score():
    answers = ["it rains in paris today", "the cat sat on the mat"]
    one, two = [["today it is raining", "the cat sat"], ["it rains in paris", "the cat sat on a mat"]]
    single = TextMarks(answers, [[right] for right in one])
    several = TextMarks(answers, [list(pair) for pair in zip(one, two, strict=True)])
    for metric in TEXT_METRICS:
        assert several.value(metric) >= single.value(metric) - 1e-12, metric


# ROUGE ----------------------------------------------------------------------------------------------------------------


def test_rouge_equals_the_hand_calculation():
    """Six words each: five shared, three of five word pairs shared, longest common subsequence 'the cat on the mat'."""
    answer, right = "The cat sat on the mat", "the cat is on the mat."
    assert rouge_n(answer, right, 1) == pytest.approx(5 / 6)
    assert rouge_n(answer, right, 2) == pytest.approx(3 / 5)
    assert rouge_l(answer, right) == pytest.approx(5 / 6)


def test_rouge_l_keeps_the_order():
    """'police the gunman' and 'the gunman police' share three words, but only two of them in order."""
    assert rouge_n("police the gunman", "the gunman police", 1) == 1
    assert rouge_l("police the gunman", "the gunman police") == pytest.approx(2 / 3)


def test_rouge_precision_and_recall_are_weighed_alike():
    """Two of two words are right, two of eight were found: 2 * 2 / (2 + 8)."""
    assert rouge_n("the cat", "the cat sat on a very soft mat", 1) == pytest.approx(0.4)


def test_rouge_of_chinese_counts_characters():
    """今天下雨 and 今天有雨 share three of four characters; in order too."""
    assert rouge_n("今天下雨", "今天有雨", 1) == pytest.approx(3 / 4)
    assert rouge_n("今天下雨", "今天有雨", 2) == pytest.approx(1 / 3)
    assert rouge_l("今天下雨", "今天有雨") == pytest.approx(3 / 4)


@pytest.mark.parametrize("seed", range(5))
def test_rouge_equals_rouge_score(seed):
    scorer = pytest.importorskip("rouge_score.rouge_scorer")
    peer = scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
    random = np.random.default_rng(seed)
    vocabulary = ["the", "Cat", "sat,", "on", "mat", "2024", "it's", "well-known", "(yes)", "."]
    for _ in range(40):
        answer, right = (" ".join(random.choice(vocabulary, random.integers(0, 14))) for _ in range(2))
        wanted = {name: score.fmeasure for name, score in peer.score(right, answer).items()}
        found = {
            "rouge1": rouge_n(answer, right, 1),
            "rouge2": rouge_n(answer, right, 2),
            "rougeL": rouge_l(answer, right),
        }
        assert found == pytest.approx(wanted), (answer, right)


# exact match and token F1 ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("The  Eiffel Tower!", "eiffel tower"),
        ("U.S.", "us"),
        ("an apple, a day", "apple day"),
        ("theatre another Anna", "theatre another anna"),
        ("don't", "dont"),
        ("《红楼梦》，曹雪芹。", "红楼梦曹雪芹"),
        ("the a an", ""),
    ],
)
def test_answers_are_normalised_by_the_rules_of_squad(text, plain):
    """Lower case, no punctuation, no articles, single spaces, in this order: evaluate-v1.1.py of Rajpurkar et al."""
    assert normalised(text) == plain


def test_exact_match_ignores_case_marks_and_articles_and_nothing_else():
    assert exact_match("the Denver Broncos.", "Denver Broncos") == 1
    assert exact_match("Denver", "Denver Broncos") == 0
    assert exact_match("“红楼梦”", "红楼梦") == 1


def test_token_f1_equals_the_hand_calculation():
    """'denver broncos team' and 'denver broncos': two shared, precision 2/3, recall 1, so 4/5."""
    assert token_f1("the Denver Broncos team", "Denver Broncos") == pytest.approx(0.8)
    assert token_f1("yes yes yes", "yes") == pytest.approx(0.5)
    assert token_f1("北京大学", "北京") == pytest.approx(2 * 2 / 6)
    assert token_f1("nothing shared", "at all") == 0


def test_two_answers_without_words_are_the_same_and_one_is_wrong():
    """As SQuAD 2 scores a question that has no answer."""
    assert token_f1("", "") == token_f1("the", "...") == exact_match("", "") == 1
    assert token_f1("", "something") == token_f1("something", "") == exact_match("something", "") == 0


def test_the_best_of_several_right_answers_counts():
    marks = TextMarks(["1966", "in Rome"], [["in 1966", "1966"], ["Paris", "Rome"]])
    assert marks.value("exact_match") == 0.5
    assert marks.value("token_f1") == pytest.approx((1 + 2 / 3) / 2)


# all of them ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", sorted(TEXT_METRICS))
def test_an_empty_answer_scores_nothing_and_breaks_nothing(metric):
    marks = TextMarks(["", ""], [["something to say"], ["and more of it"]])
    assert marks.value(metric) == pytest.approx(0, abs=1e-12)
    estimate = bootstrap(marks, metric, n_resamples=20)
    unseen = wilson(0, 2).high if metric == "exact_match" else 0.0
    assert (estimate.low, estimate.high) == pytest.approx((0, unseen), abs=1e-12)


@pytest.mark.parametrize("metric", sorted(TEXT_METRICS))
@pytest.mark.parametrize("text", ["\u202e😀", " ", "🙂", "。"])
def test_strange_texts_are_scored(metric, text):
    assert 0 <= TextMarks([text, "word"], [["word"], [text]]).value(metric) <= 1


@pytest.mark.parametrize("metric", sorted(TEXT_METRICS))
def test_the_interval_holds_the_value_and_the_better_texts_win(metric):
    random = np.random.default_rng(2)
    rights = [" ".join(random.choice(list("abcdefghij"), 12)) for _ in range(60)]
    good = [right if random.random() < 0.8 else "x y z" for right in rights]
    poor = [right if random.random() < 0.3 else "x y z" for right in rights]
    first, second = (TextMarks(answers, [[right] for right in rights]) for answers in (good, poor))
    estimate = bootstrap(first, metric, n_resamples=60)
    assert 0 <= estimate.low < estimate.value < estimate.high <= 1
    assert paired_difference(metric, first, second).low > 0 > paired_difference(metric, second, first).high


def _coverage(shrink: float) -> float:
    """Share of 200 simulated test sets whose interval (its width times `shrink`) holds the true share 0.7."""
    random, held = np.random.default_rng(3), 0
    for trial in range(200):
        answers = ["yes" if random.random() < 0.7 else "no" for _ in range(150)]
        estimate = bootstrap(TextMarks(answers, [["yes"]] * 150), "exact_match", trial, n_resamples=100)
        middle, half = (estimate.low + estimate.high) / 2, (estimate.high - estimate.low) / 2 * shrink
        held += middle - half <= 0.7 <= middle + half
    return held / 200


def test_the_interval_covers_the_truth_about_95_times_in_100():
    """200 trials at 0.95 have a standard error of 0.015; the percentile bootstrap is a little short."""
    assert 0.89 <= _coverage(1.0) <= 0.99


def test_an_interval_that_is_half_as_wide_is_caught():
    """Control for the test above."""
    assert _coverage(0.5) < 0.80


# likelihood -----------------------------------------------------------------------------------------------------------


def test_bits_per_byte_equals_the_hand_calculation():
    """8 bits for the 1 byte of 'a' and 6 for the 3 bytes of 世 are 14 bits for 4 bytes."""
    nats = np.array([8, 6]) * math.log(2)
    marks = TextMarks(["", ""], [["a"], ["世", "not counted"]], nats, written=False)
    assert marks.value(BITS) == pytest.approx(14 / 4)
    assert marks.value(BITS, np.array([0, 0, 1])) == pytest.approx(22 / 5)
    assert marks.metrics == (BITS,)
    assert math.isnan(marks.value("chrf"))


def test_without_likelihoods_there_are_no_bits():
    marks = TextMarks(["a"], [["a"]])
    assert BITS not in marks.metrics
    assert math.isnan(marks.value(BITS))


def test_fewer_bits_are_better():
    right = [["some text"]] * 30
    sure, unsure = (TextMarks([""] * 30, right, np.full(30, nats), written=False) for nats in (3.0, 9.0))
    assert paired_difference(BITS, sure, unsure).low > 0


# variety --------------------------------------------------------------------------------------------------------------


def test_distinct_equals_the_hand_calculation():
    """'a b a b' has the pairs ab, ba, ab and 'a b' has ab: two different ones of four."""
    assert distinct(["a b a b", "a b"], 2) == 0.5
    assert distinct(["a b a b", "a b"], 1) == pytest.approx(2 / 6)
    assert distinct([], 2) == distinct([""], 2) == 0


def test_answers_are_measured_for_variety_beside_right_ones():
    """Of all rows, and of these; a likelihood alone has none."""
    marks = TextMarks(["a b a b a b", "a b c d"], [["x"], ["y"]])
    assert marks.value("distinct_2") == distinct(marks.answers, 2) == 4 / 8
    assert marks.value("repetition") == pytest.approx((1 / 3 + 0) / 2)
    assert marks.value("repetition", np.array([0, 0])) == pytest.approx(1 / 3)
    assert {"distinct_2", "repetition"} <= set(marks.metrics)
    assert not {"distinct_2", "repetition"} & set(TextMarks(["a", "b"], [["x"], ["y"]]).metrics)


def test_repetition_equals_the_hand_calculation():
    """'a b a b a b' has three 4-grams, two of them different; a loop nears 1."""
    assert repetition("a b a b a b", 4) == pytest.approx(1 / 3)
    assert repetition("one two three four five", 4) == 0
    assert repetition("too short", 4) == 0
    assert repetition("again " * 500) > 0.99
    assert repetition("好好好好好好", 2) == pytest.approx(4 / 5)


# programs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(1, 8))
def test_pass_at_k_equals_counting_all_draws(n):
    """Of all ways to draw k of n programs, those with at least one that works."""
    for right in range(n + 1):
        works = [place < right for place in range(n)]
        for k in range(1, n + 1):
            draws = list(itertools.combinations(works, k))
            assert pass_at_k(n, right, k) == pytest.approx(sum(map(any, draws)) / len(draws)), (right, k)


def test_the_mean_has_its_interval():
    """Of four values 0, 0, 0.9, 0.9 a resample's mean is binomial: 0 and 0.9 have 1/16 each, above 2.5 %."""
    estimate = mean([0, 0, 0.9, 0.9])
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((0.45, 0, 0.9))
    for hits, rows in ((2, 4), (2, 2)):
        share = binomtest(hits, rows).proportion_ci(method="wilson")
        estimate = mean([1] * hits + [0] * (rows - hits))
        assert (estimate.low, estimate.high) == pytest.approx((share.low, share.high))
    assert math.isnan(mean([]).value)


# words that should not be there ---------------------------------------------------------------------------------------


def test_a_word_list_has_one_a_line():
    assert word_list("\ufeff# mild\nidiot\n\n 笨蛋 \nidiot\nfat head\r\n") == ["idiot", "笨蛋", "fat head"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("You IDIOT!", ["idiot"]),
        ("idiotic", []),
        ("a snake-idiot's", ["idiot"]),
        ("Fat\nhead", ["fat head"]),
        ("他是个大笨蛋啊", ["笨蛋"]),
        ("你idiot啊", ["idiot"]),
        ("ｉｄｉｏｔ", ["idiot"]),
        ("笨 蛋", []),
        ("", []),
        ("idiot and 笨蛋 and idiot", ["idiot", "笨蛋"]),
    ],
)
def test_words_of_the_list_are_found_whole_in_english_and_anywhere_in_chinese(text, found):
    assert toxic(text, ["idiot", "笨蛋", "fat head", ""]) == found


def test_the_shipped_list_is_short_mild_and_in_two_languages():
    listed = word_list((catalogue.HOME / "content-studio" / "insults.txt").read_text(encoding="utf-8"))
    chinese = [word for word in listed if text_metrics.CJK.search(word)]
    assert (len(listed) - len(chinese), len(chinese)) == (20, 20)
    assert toxic("You dimwit, 你这个笨蛋！", listed) == ["dimwit", "笨蛋"]
    assert toxic("Please send the foolproof guide to the classroom. 请把说明书发给我。", listed) == []


def test_a_word_is_taken_literally():
    assert toxic("a+b (c)", ["a+b", "(c)", "."]) == ["a+b", "(c)"]


def test_words_are_lower_case_and_chinese_characters_stand_alone():
    assert words("Ünder 世界_3 don't") == ["ünder", "世", "界", "_3", "don", "t"]
