"""A toy that writes, word by word and always the same."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds import chat
from windlass.metrics.measures import Estimate
from windlass.predictors.language.writing import OnText, Token, Writing, Written
from windlass.predictors.writer import Writer
from windlass.records import Column, Manifest, Release

CHAT, TEXT = {"messages": "chat"}, {"prompt": "text"}
ENDLESS, REFUSED, BROKEN = "go on for ever", "too long for me", "break"
AT = "2026-01-01T00:00:00+00:00"
RELEASE = Release("teller-1", "teller", "toy", "chrf", Estimate(0.5, 0.4, 0.6), AT, "f" * 64, {}, 0.1)


def asked(row: dict[str, Any]) -> str:
    """What the last message, or the text, says."""
    value = next(iter(row.values()))
    return chat.messages(value)[-1]["content"] if value.startswith("[") else value


def words(row: dict[str, Any], how: Writing) -> Iterator[str]:
    """What the toy says: the question again, or `more` without an end."""
    text = asked(row)
    if how.schema is not None:
        text = '{"said": true}'
    if how.temperature:
        text = f"{how.seed} {text}"
    for number, word in enumerate(["You", "said:", *text.split(" ")] if how.schema is None else text.split(" ")):
        yield word if number == 0 else f" {word}"
    while ENDLESS in text:
        yield " more"


@dataclass
class Toy:
    """Writes a word a token, `wait_s` after the one before, until it has said all or `hear` says stop."""

    wait_s: float = 0.0
    is_generating: bool = True
    calls: list[tuple[list[dict[str, Any]], Writing]] = field(default_factory=list)
    n_steps: int = 0
    go: threading.Event = field(default_factory=threading.Event)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    active: int = 0

    def __post_init__(self) -> None:
        self.go.set()

    def write(self, rows: Sequence[Any], how: Writing, hear: OnText) -> list[Written]:
        self.calls.append((list(rows), how))
        self.begun.release()
        assert self.go.wait(60)
        for number, row in enumerate(rows):
            if REFUSED in asked(row):
                raise DataError(f"row {number} is too long for this model, expected a shorter one")
            if BROKEN in asked(row):
                raise RuntimeError(f"cannot write for {row}")
        texts = [_Growing(words(row, how), len(asked(row).split())) for row in rows]
        self.active = len(texts)
        for _ in range(how.max_tokens):
            threading.Event().wait(self.wait_s)
            self.n_steps += 1
            for number, text in enumerate(texts):
                text.step(number, hear, how)
            self.active = sum(not text.finish for text in texts)
            if not self.active:
                break
        self.active = 0
        return [text.written(how) for text in texts]

    def nats(self, rows: Sequence[Any], texts: Sequence[str]) -> np.ndarray | None:
        return None


class _Growing:
    def __init__(self, source: Iterator[str], n_prompt: int) -> None:
        self.source, self.n_prompt = source, n_prompt
        self.said: list[str] = []
        self.finish = ""

    def step(self, number: int, hear: OnText, how: Writing) -> None:
        if self.finish:
            return
        word = next(self.source, None)
        if word is None:
            self.finish = "stop"
            return
        self.said.append(word)
        if not hear(number, word):
            self.finish = "cancelled"

    def written(self, how: Writing) -> Written:
        others = tuple((f"other {number}", -2.0 - number) for number in range(how.n_logprobs or 0))
        tokens = tuple(Token(word, -0.5, others) for word in self.said) if how.n_logprobs is not None else ()
        n_tokens = len(self.said)
        text = "".join(self.said)
        return Written(text, self.finish or "length", self.n_prompt, n_tokens, -0.5 * n_tokens, tokens)


def writer_of(engine: Any, inputs: dict[str, str], writing: dict[str, Any] | None = None) -> Writer:
    columns = tuple(Column(name, kind, {}) for name, kind in inputs.items())
    settings = {"writing": writing or {"max_tokens": 64}}
    return Writer(Manifest("toy", "toy", columns, Column("answer", "text", {}), settings=settings), engine)
