"""What a person prefers: one writer, acknowledged after the commit, each key stored once.

Rows are only added; of a pair that was judged again the latest counts.
"""

import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from windlass.database.backend import Database, Failure, Schema
from windlass.database.connection import Memory, read
from windlass.errors import Refused
from windlass.records import Json

Choice = Literal["first", "second", "tie"]
TABLES = Schema(
    "preferences",
    (
        """
create table if not exists preferences (
  number {serial}, key text not null unique, pair text not null, choice text not null, at double precision not null)
""",
    ),
)


@dataclass(frozen=True)
class Pair:
    """Two answers to one request. asked: as a person reads it; prompt: as a learner does, a text or messages."""

    id: str
    asked: str
    first: str
    second: str
    prompt: Any = None


class Preference(NamedTuple):
    """What was chosen of a pair. key: the client's, which stores it once."""

    key: str
    pair: str
    choice: Choice


class Preferences:
    """The writing end. `fault` says why nothing can be written any more; empty when all is well."""

    def __init__(self, place: Database | Path | str) -> None:
        self.memory = Memory(place, TABLES)
        self._thread = ThreadPoolExecutor(1, "windlass-preferences")

    @property
    def fault(self) -> str:
        return self.memory.fault

    def store(self, preference: Preference) -> "Future[bool]":
        """Done when it is on disk: true when it is new, false when it was there; it may hold a Refused."""
        return self._thread.submit(self._store, preference)

    def close(self) -> None:
        """Writes what waits, then ends."""
        self._thread.submit(self.memory.close)
        self._thread.shutdown()

    def _store(self, preference: Preference) -> bool:
        try:
            with self.memory.transaction() as connection:
                before = connection.execute("select pair, choice from preferences where key = ?", (preference.key,))
                if not before:
                    connection.execute(
                        "insert into preferences (key, pair, choice, at) values (?, ?, ?, ?)",
                        (*preference, time.time()),
                    )
        except Failure as failure:
            raise failure.refusal("preference") from None
        if before and before[0] != preference[1:]:
            raise Refused("key_reused", "Idempotency-Key was used for another, expected a new one")
        return not before


def chosen(place: Database | Path | str) -> dict[str, Choice]:
    """Pair -> what was chosen last; nothing when there is no file. Raises: DataError: it is damaged."""
    rows = read(place, TABLES, "select pair, choice from preferences order by number")
    return {row["pair"]: row["choice"] for row in rows}


def first_is_left(pair: str, seed: int) -> bool:
    """On which side the first answer of a pair stands: by chance, the same each time for one seed."""
    return random.Random(f"{seed}:{pair}").random() < 0.5


def training_rows(pairs: Sequence[Pair], choices: Mapping[str, Choice]) -> list[Json]:
    """Rows for preference training (DPO): prompt, chosen, rejected; ties have none."""
    rows = []
    for pair in pairs:
        choice = choices.get(pair.id)
        if choice == "first":
            rows.append({"prompt": pair.prompt, "chosen": pair.first, "rejected": pair.second})
        elif choice == "second":
            rows.append({"prompt": pair.prompt, "chosen": pair.second, "rejected": pair.first})
    return rows
