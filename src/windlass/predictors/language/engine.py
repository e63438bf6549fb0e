"""What an engine of a language model is: it continues token ids, and keeps to the positions that the model has."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from windlass.errors import DataError
from windlass.predictors.language.prompts import Ids
from windlass.predictors.language.writing import Writing

MODEL, FAST, TOKENIZER = "model", "fast", "tokenizer.json"
"""Of an artifact: the folder in Hugging Face's form, the one for CTranslate2, and the file in the first."""
Step = Callable[[int, int, float, Sequence[tuple[int, float]]], bool]
"""Called as step(row, token id, log-probability, likeliest others); false ends that row."""
Share = tuple[float, Sequence[tuple[int, float]]]
"""The log-probability of a token that was read, and the likeliest at its place."""
Join = Callable[[], Sequence[Ids]]
"""Called between two tokens: prompts that join those that are being continued, numbered on from the ones before."""


def no_joiners() -> Sequence[Ids]:
    """Lets nothing join."""
    return ()


class Decoder(Protocol):
    """Continues token ids. takes_more: others can join what it is writing."""

    takes_more: bool

    def can(self, how: Writing) -> bool:
        """True when it can write in this way."""
        ...

    def room(self, prompt: Ids) -> int:
        """Tokens that it can write after this prompt. Raises: DataError: none."""
        ...

    def write(self, prompts: Sequence[Ids], how: Writing, step: Step, join: Join = no_joiners) -> None:
        """Continues each prompt until its `step` says false or it wrote an end token (which is stepped, too).

        how.max_tokens: so long a text is planned for; `step` counts them. join: asked for more prompts where the
        engine can take them while it writes.
        """
        ...

    def nats(self, prompts: Sequence[Ids], answers: Sequence[Ids]) -> np.ndarray:
        """(n,) negative log-likelihood of each answer after its prompt."""
        ...


@runtime_checkable
class EmbedsIds(Protocol):
    """A decoder that gives hidden states as well."""

    def embed(self, texts: Sequence[Ids]) -> np.ndarray:
        """(n, d) float32, one row a text."""
        ...


@runtime_checkable
class EchoesIds(Protocol):
    """A decoder that tells what it reads as well."""

    def echo(self, prompt: Ids, how: Writing, step: Step) -> list[Share]:
        """Of each token of the prompt but the first, read in one pass; then continues it as `write` does."""
        ...


def room(n_prompt: int, longest: int, is_pair: bool) -> int:
    """Tokens that fit after a prompt into a model of so many positions: the last is written and never read.

    Raises: DataError: none.
    """
    if is_pair:
        return longest
    if n_prompt >= longest:
        raise DataError(f"prompt has {n_prompt:,} tokens, expected fewer than {longest:,}")
    return longest - max(1, n_prompt) + 1


def windows(prompt: Ids, answer: Ids, longest: int) -> list[tuple[Ids, Ids]]:
    """(context, part of the answer) of each window; half a window of context after the first."""
    if len(prompt) + len(answer) <= longest:
        return [(prompt, answer)]
    whole, first = [*prompt, *answer], len(prompt)
    found: list[tuple[Ids, Ids]] = []
    while first < len(whole):
        begin = max(0, first - longest // 2) if found or first >= longest else 0
        end = min(len(whole), begin + longest)
        found.append((whole[begin:first], whole[first:end]))
        first = end
    return found
