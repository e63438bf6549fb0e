"""What makes one set of written answers better than another: sums over rows, so that any resample is measured at once.

All scores are shares 0-1, higher is better, except `bits_per_byte` (lower is better). A row may have several right
answers; the one that scores best counts.
Source: chrF, Popović 2015; BLEU, Papineni et al. 2002, both as sacrebleu (Post 2018) computes them; ROUGE, Lin 2004;
        exact match and token F1, Rajpurkar et al. 2016 (for Chinese over characters, Cui et al. 2019).
"""

import math
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from windlass.errors import NotReady, pip_install
from windlass.metrics.measures import Array, Estimate, bootstrap, wilson

References = Sequence[str]
"""The right answers of one row, at least one."""
CJK = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff]")
LETTER = r"[^\W\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff]"
"""A letter or digit of a script whose words are set apart."""
TOKEN = re.compile(rf"{CJK.pattern}|{LETTER}+")
ARTICLES = re.compile(r"\b(a|an|the)\b")
MARKS = re.compile(rf"[{re.escape(string.punctuation)}，。！？、；：“”‘’（）《》【】…—·「」『』〈〉]")
LONGEST_GRAM = 4


def words(text: str) -> list[str]:
    """Lower-case words; a CJK character is a word."""
    return TOKEN.findall(text.lower())


def normalised(text: str) -> str:
    """Without case, punctuation, English articles and needless spaces."""
    return " ".join(ARTICLES.sub(" ", MARKS.sub("", text.lower())).split())


def _f1(hits: int, n_answer: int, n_reference: int) -> float:
    return 2 * hits / (n_answer + n_reference) if hits else 0.0


def _grams(tokens: list[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1))


def rouge_n(answer: str, reference: str, n: int) -> float:
    """F1 of the n-grams that both hold."""
    ours, theirs = _grams(words(answer), n), _grams(words(reference), n)
    return _f1((ours & theirs).total(), ours.total(), theirs.total())


def rouge_l(answer: str, reference: str) -> float:
    """F1 of the longest common subsequence of words."""
    ours, theirs = words(answer), words(reference)
    row = [0] * (len(theirs) + 1)
    for word in ours:
        before = row
        row = [0]
        for place, other in enumerate(theirs):
            row.append(before[place] + 1 if word == other else max(before[place + 1], row[place]))
    return _f1(row[-1], len(ours), len(theirs))


def exact_match(answer: str, reference: str) -> float:
    return float(normalised(answer) == normalised(reference))


def token_f1(answer: str, reference: str) -> float:
    """F1 of the words that both hold, as often as they do."""
    ours, theirs = (Counter(words(normalised(text))) for text in (answer, reference))
    if not ours or not theirs:
        return float(ours == theirs)
    return _f1((ours & theirs).total(), ours.total(), theirs.total())


def _best(score: Callable[[str, str], float]) -> "TextMetric":
    """The mean over rows of the score against the best of the right answers."""

    def rows(answers: Sequence[str], references: Sequence[References]) -> Array:
        found = [
            max(score(answer, right) for right in rights) for answer, rights in zip(answers, references, strict=True)
        ]
        return np.stack([np.array(found, float), np.ones(len(found))], axis=1).reshape(-1, 2)

    return TextMetric(rows, lambda total: float(total[0] / total[1]) if total[1] else float("nan"))


def _sacrebleu(name: str) -> "TextMetric":
    def rows(answers: Sequence[str], references: Sequence[References]) -> Array:
        metric = _metric(name, references)
        most = max(map(len, references), default=1)
        columns = [[rights[min(place, len(rights) - 1)] for rights in references] for place in range(most)]
        return np.array(metric._extract_corpus_statistics(list(answers), columns), float)

    def score(total: Array) -> float:
        return float(_metric(name, ())._compute_score_from_stats(total.tolist()).score) / 100

    return TextMetric(rows, score)


def _metric(name: str, references: Sequence[References]) -> Any:
    """sacrebleu's metric; BLEU splits Chinese into characters."""
    try:
        from sacrebleu.metrics import BLEU, CHRF
    except ImportError:
        raise NotReady(f"metric '{name}' needs sacrebleu", pip_install("llm")) from None
    if name == "chrf":
        return CHRF()
    chinese = sum(bool(CJK.search(rights[0])) for rights in references) > len(references) / 2
    return BLEU(tokenize="zh" if chinese else "13a", effective_order=False)


@dataclass(frozen=True)
class TextMetric:
    """statistics(answers, references) -> (n, m) float, one row an answer; score(their sum (m,)) -> the metric."""

    statistics: Callable[[Sequence[str], Sequence[References]], Array]
    score: Callable[[Array], float]


TEXT_METRICS: dict[str, TextMetric] = {
    "chrf": _sacrebleu("chrf"),
    "bleu": _sacrebleu("bleu"),
    "rouge1": _best(lambda answer, right: rouge_n(answer, right, 1)),
    "rouge2": _best(lambda answer, right: rouge_n(answer, right, 2)),
    "rouge_l": _best(rouge_l),
    "exact_match": _best(exact_match),
    "token_f1": _best(token_f1),
}
QUALITIES: dict[str, TextMetric] = {
    "distinct_2": TextMetric(
        lambda answers, _: _fresh(answers, 2), lambda total: float(total[0] / total[1]) if total[1] else 0.0
    ),
    "repetition": TextMetric(
        lambda answers, _: np.array([[repetition(text), 1.0] for text in answers], float).reshape(-1, 2),
        lambda total: float(total[0] / total[1]) if total[1] else 0.0,
    ),
}
"""What answers of several words are like, whatever is right: told of each candidate, and no goal. The interval of
`distinct_2` takes as given which answer was the first to say something."""
BITS = "bits_per_byte"
PASSES = {"pass_at_1": 1, "pass_at_5": 5}
"""Metrics of programs that tests are run on -> the k of pass@k."""
RULES_BROKEN = "rules_broken"
"""Share of answers that break a rule of the brand; of each rule as `rules_broken.<rule>`."""


@dataclass(frozen=True)
class TextMarks:
    """A candidate's answers on rows whose right answers are known.

    judged: metrics that something else than the right answers decides: for each row a share 0-1, NaN where it is not
    judged; the metric is their mean.
    nats: (n,) negative log-likelihood of each row's first right answer; None: the candidate gives none.
    written: false when nothing was answered, and the likelihood alone is measured.
    """

    answers: Sequence[str]
    references: Sequence[References]
    nats: Array | None = None
    written: bool = True
    calibration_error: float | None = None
    judged: Mapping[str, Array] = field(default_factory=dict)
    _statistics: dict[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.references)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that are defined here."""
        compared = TEXT_METRICS if self.written else ()
        told = QUALITIES if self.written and any(len(words(answer)) > 1 for answer in self.answers) else ()
        return (*self.judged, *compared, *told, *((BITS,) if self.nats is not None else ()))

    def value(self, metric: str, rows: Array | None = None) -> float:
        """The metric of all rows, or of these (a row may be named several times). Raises: NotReady: no sacrebleu."""
        chosen = slice(None) if rows is None else rows
        if metric == BITS:
            return self._bits(chosen)
        if metric in self.judged:
            shares = self.judged[metric][chosen]
            known = shares[~np.isnan(shares)]
            return float(known.mean()) if len(known) else float("nan")
        if not self.written:
            return float("nan")
        measure = QUALITIES.get(metric) or TEXT_METRICS[metric]
        if metric not in self._statistics:
            self._statistics[metric] = measure.statistics(self.answers, self.references)
        return measure.score(self._statistics[metric][chosen].sum(axis=0))

    def exact(self, metric: str) -> Estimate | None:
        """What is right or wrong in each row, and any score that is perfect in all."""
        shares = np.array(self.judged.get(metric, ()), float)
        if metric == "exact_match" and self.written:
            self.value(metric)
            shares = self._statistics[metric][:, 0]
        return share_of(shares, metric != BITS and len(self) > 0 and self.value(metric) == 1, len(self))

    @cached_property
    def _bytes(self) -> Array:
        return np.array([len(rights[0].encode("utf-8")) for rights in self.references], float)

    def _bits(self, chosen: Array | slice) -> float:
        if self.nats is None:
            return float("nan")
        return float(self.nats[chosen].sum() / math.log(2) / self._bytes[chosen].sum())


def distinct(texts: Sequence[str], n: int = 2) -> float:
    """Different n-grams as a share of all of them: how varied the texts are. Source: Li et al. 2016."""
    n_fresh, n_all = _fresh(texts, n).sum(axis=0)
    return float(n_fresh / max(1, n_all))


def _fresh(texts: Sequence[str], n: int) -> Array:
    """(rows, 2): the n-grams of each text that neither it nor an earlier one has said before, and all of them."""
    seen, found = set[tuple[str, ...]](), []
    for text in texts:
        grams = _grams(words(text), n)
        found.append([len(grams.keys() - seen), grams.total()])
        seen |= grams.keys()
    return np.array(found, float).reshape(-1, 2)


def repetition(text: str, n: int = LONGEST_GRAM) -> float:
    """Share of a text's n-grams that it has said before: 0 never, near 1 in a loop. Source: Welleck et al. 2020."""
    grams = _grams(words(text), n)
    return 1 - len(grams) / grams.total() if grams else 0.0


def pass_at_k(n: int, right: int, k: int) -> float:
    """Chance that one of k programs works, of n that were tried and `right` that did.

    Source: Chen et al. 2021, arXiv:2107.03374, eq. 1.
    """
    if n - right < k:
        return 1.0
    return 1.0 - math.prod((n - right - place) / (n - place) for place in range(k))


def word_list(text: str) -> list[str]:
    """The words or phrases of a list, one a line; empty lines and those that begin with # are left out."""
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    return list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def toxic(text: str, words: Sequence[str]) -> list[str]:
    """Those of the words that the text holds, whatever their case and width, in the order of the list.

    A word in letters must stand alone ("ass" is not in "class"); one with CJK characters may stand anywhere, since
    nothing is written between Chinese words.
    """
    said = _plain(text)
    return [word for word in words if _plain(word) and _holds(said, _plain(word))]


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _holds(said: str, word: str) -> bool:
    if CJK.search(word):
        return word in said
    return re.search(rf"(?<!{LETTER}){re.escape(word)}(?!{LETTER})", said) is not None


def mean(values: Sequence[float], seed: int = 13) -> Estimate:
    """The mean of shares 0-1 with its 95 % interval, as `bootstrap` gives it; NaN without values."""
    return bootstrap(_Shares(np.array(values, float)), "mean", seed) if len(values) else Estimate(*[float("nan")] * 3)


@dataclass(frozen=True)
class _Shares:
    values: Array
    metrics: tuple[str, ...] = ("mean",)
    calibration_error: float | None = None

    def __len__(self) -> int:
        return len(self.values)

    def value(self, metric: str, rows: Array | None = None) -> float:
        return float((self.values if rows is None else self.values[rows]).mean())

    def exact(self, metric: str) -> Estimate | None:
        return share_of(self.values, False, len(self))


def share_of(shares: Array, is_perfect: bool, n_rows: int) -> Estimate | None:
    """Wilson's interval where every row is worth 0 or 1 (NaN: not known), or all of `n_rows` are perfect; else none."""
    known = shares[~np.isnan(shares)]
    if len(known) and np.isin(known, (0.0, 1.0)).all():
        return wilson(float(known.sum()), len(known))
    return wilson(n_rows, n_rows) if is_perfect else None
