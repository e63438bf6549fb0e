"""Questions that only a conversation makes clear, asked so that they stand for themselves: `how long does it take?`
after a question about returns. Rules say which may be such; what is found decides whether the earlier words help.

Source: adding terms of the history, as in Lin et al. 2021, arXiv:2005.02230 (historical query expansion).
"""

import re
from collections.abc import Callable, Sequence

from windlass.metrics.texts import CJK
from windlass.predictors.reading.alignment import Said

POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|that|these|those|he|she|him|his|her|hers|there|then|same|ones?|former|latter)\b"
    r"|^\W*(?:and|but|or|also|so|why|else|what about|how about|what if|even|only)\b|\b(?:instead|as well|too)\W*$"
    r"|[它他她]们?|[这那]|其中|其他|该[项种个]|此外|^\W*(?:还有|另外|为什么|如果)|呢\W*$",
    re.IGNORECASE,
)
"""What stands for something said before."""
FEW_WORDS, FEW_SIGNS = 2, 5
"""Words that tell something, or Chinese signs of such, of a question that leaves out what it is about."""
ASKING = re.compile(
    r"请问|什么|怎么样?|怎样|多少|如何|哪[里些个儿]?|几|[吗呢吧啊呀]|是不是|能不能|可不可以|可以|我们?|你们?|您|的|了|是|要|有"
)
ASKING_WORDS = frozenset("what which when where why how please tell many much long often get want need".split())  # noqa: SIM905
MOST_TOPIC = 12
"""Words of the earlier question that are asked with."""
Sure = Callable[[Sequence[str]], Sequence[float]]
"""Questions -> how sure an answer to each is, 0-1."""


def is_follow_up(question: str) -> bool:
    """True where it may be about what was said before."""
    if POINTS_BACK.search(question):
        return True
    if CJK.search(question):
        return len(_chinese(question).replace(" ", "")) <= FEW_SIGNS
    return len(_words(question)) <= FEW_WORDS


def standalone(turns: Sequence[str], sure: Sure) -> str:
    """The last of the user's messages, with the words of the ones before it where an answer is surer with them.

    Args: turns: of the user, in order, at least one.
    """
    question, topic = turns[-1], ""
    if len(turns) == 1 or not is_follow_up(question):
        return question
    for number in range(len(turns) - 2, -1, -1):  # a follow-up is about what the one before it is about
        topic = f"{_topic(turns[number])} {topic}".strip()
        if not is_follow_up(turns[number]):
            break
    if not topic:
        return question
    rewritten = f"{question.strip()} ({' '.join(topic.split()[:MOST_TOPIC])})"
    before, after = sure([question, rewritten])
    return rewritten if after > before else question


def _topic(turn: str) -> str:
    return _chinese(turn) if CJK.search(turn) else " ".join(_words(turn))


def _words(text: str) -> list[str]:
    return [each.shown for each in Said(text).content if each.shown.lower() not in ASKING_WORDS]


def _chinese(text: str) -> str:
    return re.sub(r"\W+", " ", ASKING.sub(" ", text)).strip()
