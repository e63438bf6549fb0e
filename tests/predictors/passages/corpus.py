"""A small corpus in English, Chinese and both, and an encoder without weights."""

from collections.abc import Sequence

import numpy as np

from windlass.learners.passages.encoders import learn_lsa
from windlass.predictors.passages import bm25
from windlass.predictors.passages.index import PassageIndex, build

TOPICS = ("parcel", "refund", "password", "invoice", "窗口座位", "行李托运", "学生优惠", "退票手续费")
PLACES = ("Berlin", "Lagos", "Lima", "北京", "上海", "Oslo", "Quito", "成都")


def passages() -> list[str]:
    """64 passages: each topic in each place, with a number of its own."""
    return [
        f"In {place} the {topic} takes {7 * i + j} days. Ask on street {i}. {place}的{topic}需要{7 * i + j}天。"
        for i, topic in enumerate(TOPICS)
        for j, place in enumerate(PLACES)
    ]


def questions() -> tuple[list[str], np.ndarray]:
    """128 questions, two a passage, with the number of the passage that answers."""
    ways = ("How many days does the {topic} take in {place}?", "{place}的{topic}要多少天？")
    found = [
        (way.format(topic=topic, place=place), i * len(PLACES) + j)
        for i, topic in enumerate(TOPICS)
        for j, place in enumerate(PLACES)
        for way in ways
    ]
    return [text for text, _ in found], np.array([place for _, place in found])


def index(texts: Sequence[str] | None = None) -> PassageIndex:
    """BM25 and LSA over these passages."""
    texts = passages() if texts is None else list(texts)
    return build(texts, {"lsa": ("lsa", learn_lsa(bm25.build(texts), texts, width=16))})
