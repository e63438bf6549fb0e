"""What writes: rows in, texts out. How an answer is written is the same record for every engine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from windlass.errors import DataError, WindlassError
from windlass.records import Json, Row

OnText = Callable[[int, str], bool]
"""Called with a row's number and the next piece of its text; false stops that row."""
MAX_TOKENS, MAX_PROMPT, MAX_BEAMS, MAX_STOPS = 4_096, 100_000, 8, 8


@dataclass(frozen=True)
class Writing:
    """How an answer is written; each default is the recommendation.

    max_tokens: at most so many. temperature: 0 takes the likeliest token each time. top_p: of the likeliest tokens, as
    many as hold this share. repetition_penalty: above 1, what was said becomes less likely. beams: above 1, beam
    search. stop: texts that end an answer. seed: of the chance. schema: a JSON schema that the answer keeps.
    n_logprobs: so many alternatives of each token are told. echo: the text that is asked is continued as it stands, and
    its own tokens are told; then nothing need be written.
    """

    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    beams: int = 1
    stop: tuple[str, ...] = ()
    seed: int = 13
    schema: Json | None = None
    n_logprobs: int | None = None
    echo: bool = False

    def __post_init__(self) -> None:
        bounds = {
            "max_tokens": (0 if self.echo else 1, MAX_TOKENS),
            "temperature": (0, 2),
            "top_p": (0.01, 1),
            "repetition_penalty": (0.5, 2),
            "beams": (1, MAX_BEAMS),
        }
        for name, (least, most) in bounds.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise DataError(f"'{name}' is {value}, expected {least:g} to {most:g}")
        if len(self.stop) > MAX_STOPS or not all(0 < len(text) <= 100 for text in self.stop):
            raise DataError(f"'stop' is not at most {MAX_STOPS} texts of 1 to 100 characters, expected such texts")


@dataclass(frozen=True)
class Token:
    """A token as it was written: its text, its log-probability in nats, and the likeliest others.

    raw: its bytes and those of the others, where texts do not tell: of a part of a character.
    """

    text: str
    logprob: float
    others: tuple[tuple[str, float], ...] = ()
    raw: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Echo:
    """A prompt as a model read it.

    tokens: what each was worth after those before it; nothing is known of the first. offsets: characters before each.
    """

    text: str
    tokens: tuple[Token, ...]
    offsets: tuple[int, ...]


@dataclass(frozen=True)
class Written:
    """A finished text. finish: 'stop' (it ended by itself or at a stop text), 'length' or 'cancelled'.

    logprob: sum over its tokens, nats; None when the writer knows none. n_cut: tokens of the prompt that did not fit.
    echo: the prompt, where it was wanted; then the token that ended the text is the last of `tokens`.
    """

    text: str
    finish: str = "stop"
    n_prompt: int = 0
    n_tokens: int = 0
    logprob: float | None = None
    tokens: tuple[Token, ...] = field(default=())
    n_cut: int = 0
    echo: Echo | None = None


class Engine(Protocol):
    """Writes texts for rows. `is_generating`: it writes token by token and can stream."""

    is_generating: bool

    def write(self, rows: Sequence[Row], how: Writing, hear: OnText) -> list[Written]:
        """One text a row, in order. Raises: DataError: a row cannot be read or is too long."""
        ...

    def nats(self, rows: Sequence[Row], texts: Sequence[str]) -> np.ndarray | None:
        """(n,) negative log-likelihood of each text after its row, in nats; None: not known."""
        ...


class Intake(Protocol):
    """Where an engine gets rows while it writes, and who hears of their texts. Rows are numbered as they are taken."""

    def take(self) -> Sequence[tuple[Row, int]]:
        """Rows to be written from now on, each with the most tokens of its text; none when nothing may join."""
        ...

    def hear(self, number: int, piece: str) -> bool:
        """As `OnText`."""
        ...

    def end(self, number: int, written: Written) -> None:
        """The text of a row, as soon as it has ended."""
        ...

    def refuse(self, number: int, error: WindlassError) -> None:
        """A row that cannot be read, is too long, or is not answered by who was asked."""
        ...


@runtime_checkable
class Serves(Protocol):
    """An engine that tells each text when it ends, and lets rows join those that it is writing."""

    def serve(self, intake: Intake, how: Writing) -> None:
        """Writes what the intake gives until it gives no more; the most tokens of `how` are those of each row."""
        ...


@runtime_checkable
class Echoes(Protocol):
    """An engine that tells what the tokens of a prompt were worth to it."""

    def echo(self, row: Row, how: Writing, number: int, hear: OnText) -> Written:
        """The text of this row as it stands, and what follows it. number: what `hear` is told of the row.

        Instead of its text, a row may hold its token ids as a list.

        Raises: DataError: the text does not fit, or the model cannot tell.
        """
        ...


def silent_hear(row: int, piece: str) -> bool:
    """Hears all and stops nothing."""
    return True
