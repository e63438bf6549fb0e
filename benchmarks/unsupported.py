"""The verifier on 200 planted sentences that their passages do not support, and 200 true paraphrases; half of them Chinese.

They stand in `planted/test-en.txt` and `test-zh.txt`, written before any of the verifier was (their commit is older), and
are read for these figures alone; it was developed on `learners/reading/written-*.txt` and on the train questions of the
shared sets. Every passage of a language is retrieved. Contradictions: the planted numbers and negations and the true ones,
each laid beside the passages as one of its own.

Usage: python benchmarks/unsupported.py [--data ../shared/data]
"""  # noqa: E501

import argparse
import json
from collections import Counter
from pathlib import Path

from goals import Goal, record

from windlass.learners.reading.written import SUPPORTED, UNSUPPORTED, Written, fit_support, read
from windlass.metrics.measures import wilson
from windlass.predictors.reading.sentences import Retrieved
from windlass.predictors.reading.support import Support
from windlass.predictors.reading.verifier import Citation, Statement, contradictions, verify

HERE = Path(__file__).resolve().parent
SETS = ("qa-en-xquad", "qa-zh-cmrc2018")


def train_passages(data: Path) -> list[str]:
    """The passages of the train questions of both sets."""
    lines = [line for name in SETS for line in (data / name / "train.jsonl").read_text("utf-8").splitlines()]
    return sorted({json.loads(line)["context"] for line in lines})


def share(n_right: int, n: int) -> str:
    found = wilson(n_right, n)
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}] of {n}"


def retrieved(sentences: list[Written]) -> list[Retrieved]:
    return [Retrieved(name, text, 1.0) for name, text in {each.name: each.passage for each in sentences}.items()]


def measure(sentences: list[Written], support: Support) -> tuple[Counter[str], Counter[str], int]:
    """Right decisions and sentences by trait; and how many citations of kept ones do not stand in their passages."""
    passages = retrieved(sentences)
    texts = {passage.id: passage.text for passage in passages}
    right: Counter[str] = Counter()
    n: Counter[str] = Counter()
    astray = 0
    for each in sentences:
        statement = Statement(each.text, tuple(Citation(each.name, quote) for quote in each.quotes))
        verdict = verify([statement], passages, support)
        right[each.trait] += verdict.is_refusal != each.is_supported
        n[each.trait] += 1
        astray += sum(cited.quote not in texts[cited.passage] for kept in verdict.kept for cited in kept.citations)
    return right, n, astray


def conflicts(sentences: list[Written], support: Support) -> tuple[int, int, int, int]:
    """Planted contradictions found and tried, false alarms of true paraphrases and tried."""
    found = alarms = n_found = n_alarms = 0
    passages = retrieved(sentences)
    for each in sentences:
        if each.trait not in ("number", "negation", *SUPPORTED):
            continue
        others = [*passages, Retrieved("another", each.text, 1.0)]
        says = any(
            conflict.other.passage == "another"
            for quote in each.quotes
            for conflict in contradictions(Citation(each.name, quote), others, support.synonyms)
        )
        if each.is_supported:
            alarms, n_alarms = alarms + says, n_alarms + 1
        else:
            found, n_found = found + says, n_found + 1
    return found, n_found, alarms, n_alarms


def main(data: Path) -> None:
    support = fit_support(train_passages(data))
    test = {language: read(HERE / "planted" / f"test-{language}.txt", language) for language in ("en", "zh")}
    right: Counter[str] = Counter()
    n: Counter[str] = Counter()
    astray, told = 0, []
    tried = [0, 0, 0, 0]
    for language, sentences in test.items():
        own, of, wrong = measure(sentences, support)
        right, n, astray = right + own, n + of, astray + wrong
        told.append(f"{language} " + ", ".join(f"{trait} {own[trait]} of {of[trait]}" for trait in of))
        tried = [one + other for one, other in zip(tried, conflicts(sentences, support), strict=True)]
    caught, kept = (sum(right[trait] for trait in traits) for traits in (UNSUPPORTED, SUPPORTED))
    n_caught, n_kept = (sum(n[trait] for trait in traits) for traits in (UNSUPPORTED, SUPPORTED))
    note = f"threshold {support.threshold:.2f}, set by held-out development sentences; " + "; ".join(told)
    record(
        Goal("ask", "planted unsupported sentences caught", ">= .95 of 200", share(caught, n_caught), caught >= 0.95 * n_caught, note),  # noqa: E501
        Goal("ask", "true paraphrases kept", ">= .90 of 200", share(kept, n_kept), kept >= 0.9 * n_kept, note),
        Goal("ask", "cited spans to the letter", "1.00", f"{astray} astray among the kept", astray == 0),
        Goal(
            "ask", "contradicting passages shown", "told", f"{share(tried[0], tried[1])} found; {share(tried[2], tried[3])} false alarms",  # noqa: E501
            True, "planted numbers and negations as a passage of their own; true paraphrases as the control",
        ),
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared" / "data")
    main(parser.parse_args().data)
