"""What a release carries for people: its model card, the leaderboard that it was chosen from, rows to try it with."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from windlass.errors import WindlassError
from windlass.records import Board, Json
from windlass.registry import releases
from windlass.store.json_files import read_as
from windlass.store.store import Store

logger = logging.getLogger("windlass.registry")
BOARD, CARD, CARD_ZH = "board.json", "card.md", "card.zh.md"
MOST_EXAMPLES, MOST_CHARACTERS = 8, 512 * 1024
"""Of all examples together; a picture counts as its base64."""


@dataclass(frozen=True)
class ModelCards:
    """card, card_zh: Markdown, empty where there is none; board: none in releases of before 0.2; examples: rows as a
    client would send them, of the golden ones."""

    card: str = ""
    card_zh: str = ""
    board: Board | None = None
    examples: tuple[Json, ...] = ()


def model_cards(store: Store, id: str) -> ModelCards:
    """The cards of a release whose files were verified when it was opened. Raises: SpecError: not an id."""
    folder = releases.folder(store, id)
    return ModelCards(
        card=_text(folder / CARD),
        card_zh=_text(folder / CARD_ZH),
        board=read_as(folder / BOARD, Board) if (folder / BOARD).is_file() else None,
        examples=_examples(store, id),
    )


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _examples(store: Store, id: str) -> tuple[Json, ...]:
    try:
        rows, _ = releases.golden(store, id)
    except WindlassError:
        logger.warning("golden rows of release '%s' cannot be read: no examples are shown", id, exc_info=True)
        return ()
    return tuple(_fitting(rows))


def _fitting(rows: Sequence[Json]) -> Iterator[Json]:
    left = MOST_CHARACTERS
    for row in rows[:MOST_EXAMPLES]:
        left -= len(str(row))
        if left >= 0:
            yield row
