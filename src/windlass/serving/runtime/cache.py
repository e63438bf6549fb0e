"""Answers kept by the hash of what was asked, for one release: bounded in entries and in bytes, the oldest go first.

Rows are asked for and kept by their canonical JSON, of which SHA-256 is the key: no user text stays in memory.
"""

import hashlib
import json
from collections import OrderedDict

from windlass.predictors.contract import PUBLIC, Names
from windlass.records import Answer, Row

MOST_BYTES = 64 * 1024 * 1024
ENTRY_BYTES = 400
"""What an entry takes beside its texts, roughly: keys, numbers and objects."""


class Cache:
    """Answers of one release; a release has its own, so that none crosses over. Used by the event loop alone."""

    def __init__(self, n_entries: int, most_bytes: int = MOST_BYTES) -> None:
        self.n_entries, self.most_bytes = n_entries, most_bytes
        self.size_bytes = self.hits = self.misses = 0
        self._answers: OrderedDict[bytes, Answer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def find(self, rows: list[Row], names: Names = PUBLIC) -> list[Answer] | None:
        """The answers to all of these rows, or nothing when one of them is not known. names: of who asks: answers of
        others, who see other documents, are not found."""
        keys = [_key(row, names) for row in rows]
        if any(key not in self._answers for key in keys):
            self.misses += 1
            return None
        self.hits += 1
        for key in keys:
            self._answers.move_to_end(key)
        return [self._answers[key] for key in keys]

    def keep(self, rows: list[Row], answers: list[Answer], names: Names = PUBLIC) -> None:
        """Keeps the answers; the longest unused ones make room."""
        for row, answer in zip(rows, answers, strict=True):
            key = _key(row, names)
            if key not in self._answers:
                self._answers[key] = answer
                self.size_bytes += _size(answer)
        while len(self._answers) > self.n_entries or self.size_bytes > self.most_bytes:
            self.size_bytes -= _size(self._answers.popitem(last=False)[1])


def _key(row: Row, names: Names) -> bytes:
    text = json.dumps(
        [row, None if names is None else sorted(names)], sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _size(answer: Answer) -> int:
    texts = [answer.value, *(value for value, _ in answer.alternatives), *answer.evidence]
    return ENTRY_BYTES + sum(4 * len(str(text)) + 100 for text in texts)
