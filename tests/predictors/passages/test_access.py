"""Many users ask (a thousand: benchmarks/forgetting.py): nobody is told a word of a document that is not for them."""

import numpy as np

from windlass.predictors.contract import PUBLIC, groups_of, seen_by
from windlass.predictors.passages.access import AccessLists
from windlass.predictors.passages.answerer import Answerer
from windlass.predictors.passages.engine import PassageEngine
from windlass.records import Column, Manifest, Passage

from . import corpus

GROUPS = [f"group-{number}" for number in range(12)]


def guarded(seed: int = 13) -> tuple[Answerer, list[Passage]]:
    """64 passages in as many documents; a tenth for everybody, the others for none to three of twelve groups."""
    random = np.random.default_rng(seed)
    passages = []
    for number, text in enumerate(corpus.passages()):
        names = tuple(random.choice(GROUPS, random.integers(0, 4), replace=False).tolist())
        access = None if random.random() < 0.1 else names
        passages.append(Passage(f"{number}.md", (), 0, 0, len(text), text, access=access))
    lists = AccessLists.of([None if each.access is None else frozenset(each.access) for each in passages])
    manifest = Manifest("passages", "bm25", (Column("question", "text"),), Column("answer", "cited"))
    return Answerer(manifest, PassageEngine(passages, corpus.index()), lists), passages


def leaks(value: dict, passages: list[Passage], names: frozenset[str]) -> int:
    """Documents that an answer names, in citations or beside it, and that are for others."""
    readers = {each.document: each.access for each in passages}
    named = [each["document"] for each in value["passages"]]
    named += [each["document"] for sentence in value["sentences"] for each in sentence["citations"]]
    return sum(readers[name] is not None and not names & set(readers[name]) for name in named)


def test_no_user_is_told_of_documents_of_others():
    """Control: with the eyes of the owner the same questions name them."""
    answerer, passages = guarded()
    random, questions = np.random.default_rng(29), corpus.questions()[0]
    n_leaks = n_told = n_unguarded = 0
    for user in range(150):
        names = frozenset(random.choice(GROUPS, random.integers(0, 5), replace=False).tolist())
        row = {"question": questions[user % len(questions)]}
        value = seen_by(answerer, names).answer([row])[0].value
        n_told += len(value["passages"])
        n_leaks += leaks(value, passages, names)
        if user < 20:
            n_unguarded += leaks(seen_by(answerer, None).answer([row])[0].value, passages, names)
    assert n_leaks == 0
    assert n_told > 150
    assert n_unguarded > 20


def test_who_says_nothing_sees_what_everybody_may():
    answerer, passages = guarded()
    assert groups_of(answerer) == {name for each in passages for name in each.access or ()} <= set(GROUPS)
    rows = [{"question": text} for text in corpus.questions()[0][:40]]
    given = answerer.answer(rows)
    assert [each.value for each in given] == [each.value for each in seen_by(answerer, PUBLIC).answer(rows)]
    assert sum(leaks(each.value, passages, PUBLIC) for each in given) == 0


def test_where_nothing_may_be_seen_everything_is_refused():
    passages = [Passage("a.md", (), 0, 0, 20, "The kettle weighs 9.", access=())]
    one = AccessLists.of([frozenset()])
    manifest = Manifest("passages", "bm25", (Column("question", "text"),), Column("answer", "cited"))
    answerer = Answerer(manifest, PassageEngine(passages, corpus.index([passages[0].text])), one)
    value = answerer.answer([{"question": "What does the kettle weigh?"}])[0].value
    assert (value["refused"], value["passages"]) == (True, [])
