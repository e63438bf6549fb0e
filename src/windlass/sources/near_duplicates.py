"""Which rows say nearly the same: by the runs of letters that their texts share, all other columns being equal.

Source: Broder 1997, On the resemblance and containment of documents (shingles, Jaccard index).
"""

import hashlib
import re
import unicodedata
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse

from windlass.errors import DataError
from windlass.kinds import table as kinds
from windlass.kinds.contract import Kind, is_missing
from windlass.records import Row
from windlass.store.json_files import fingerprint

NEAR = 0.8
"""Jaccard index from which on two rows count as copies of each other."""
LETTERS, WIDTH, BLOCK = 4, 2**20, 2_000
"""Of a shingle; columns of them; rows that are compared with so many others at once: 50 MB."""


def key(row: Row, inputs: Mapping[str, str]) -> str:
    """The same for rows that differ only in letter case, spaces and punctuation of their texts."""
    texts = [_normal(_asked(row.get(name), kinds.get(kind))) for name, kind in _language(inputs).items()]
    return fingerprint([texts, _others(row, inputs)])


def chance(text: str) -> float:
    """A number 0-1 that is always the same for the same text, and says nothing about it."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8]) / 2**64


def near(
    rows: Sequence[Row], others: Sequence[Row], inputs: Mapping[str, str], least: float = NEAR, block: int = BLOCK
) -> np.ndarray:
    """(n,) int: the place of a row among `others` that says nearly the same, the nearest one; -1 where none does.

    block: rows that are compared with so many others at once.
    """
    found, values = np.full(len(rows), -1), np.full(len(rows), np.nextafter(np.float32(least), 0))
    if not len(rows) or not len(others):
        return found
    left, right = shingles(rows, inputs), shingles(others, inputs)
    for begin, start in _blocks(len(rows), len(others), block):
        likeness = jaccard(left[begin : begin + block], right[start : start + block])
        value = np.asarray(likeness.max(axis=1).todense()).ravel()
        places = begin + np.flatnonzero(value > values[begin : begin + block])  # the first of equals stays
        found[places] = start + np.asarray(likeness.argmax(axis=1)).ravel()[places - begin]
        values[places] = value[places - begin]
    return found


def alike(rows: Sequence[Row], inputs: Mapping[str, str], least: float = NEAR, block: int = BLOCK) -> np.ndarray:
    """(n,) int: the same number for rows that are connected by being near."""
    if not len(rows):
        return np.zeros(0, int)
    each, pairs = shingles(rows, inputs), []
    for begin, start in _blocks(len(rows), len(rows), block):
        links = (jaccard(each[begin : begin + block], each[start : start + block]) >= least).tocoo()
        pairs.append(np.stack([begin + links.row, start + links.col]))
    places = np.concatenate(pairs, axis=1)
    graph = sparse.csr_matrix((np.ones(places.shape[1], bool), places), (len(rows), len(rows)))
    return sparse.csgraph.connected_components(graph, directed=False)[1]


def _blocks(n_rows: int, n_others: int, block: int) -> list[tuple[int, int]]:
    """Where blocks of rows and others begin: all pairs at once would be as many numbers as there are pairs."""
    return [(begin, start) for begin in range(0, n_rows, block) for start in range(0, n_others, block)]


def shingles(rows: Sequence[Row], inputs: Mapping[str, str]) -> sparse.csr_matrix:
    """(n, WIDTH) of 0 and 1: which runs of letters occur; rows whose other columns differ share none."""
    places, starts = [], [0]
    for row in rows:
        begun = zlib.crc32(_others(row, inputs).encode("utf-8", "replace"))
        said = (_normal(_asked(row.get(name), kinds.get(kind))) for name, kind in _language(inputs).items())
        text = "\x1f".join(said)
        runs = {text[at : at + LETTERS] for at in range(max(1, len(text) - LETTERS + 1))}
        places += sorted({zlib.crc32(run.encode("utf-8", "replace"), begun) % WIDTH for run in runs})
        starts.append(len(places))
    return sparse.csr_matrix((np.ones(len(places), np.float32), places, starts), (len(rows), WIDTH))


def jaccard(one: sparse.csr_matrix, other: sparse.csr_matrix) -> sparse.csr_matrix:
    """(n, m) sparse: shared shingles over all shingles of the two."""
    shared = (one @ other.T).tocoo()
    sizes = np.asarray(one.sum(axis=1)).ravel(), np.asarray(other.sum(axis=1)).ravel()
    values = shared.data / (sizes[0][shared.row] + sizes[1][shared.col] - shared.data)
    return sparse.csr_matrix((values, (shared.row, shared.col)), shared.shape)


def _language(inputs: Mapping[str, str]) -> dict[str, str]:
    return {name: kind for name, kind in inputs.items() if kinds.get(kind).is_language}


def _asked(value: object, kind: Kind) -> object:
    """What tells a row from others: of a conversation what was said, without the system's part, the same in all."""
    if kind.turns is None:
        return value
    try:
        messages = kind.turns(kind.read(value, None))
    except DataError:
        return value
    return "\n".join(each["content"] for each in messages if each["role"] != "system")


def _normal(value: object) -> str:
    text = unicodedata.normalize("NFKC", "" if is_missing(value) else str(value)).casefold()
    return " ".join(re.findall(r"\w+", text)) or text.strip()


def _others(row: Row, inputs: Mapping[str, str]) -> str:
    """The columns that are no texts, as one text."""
    told = {name: row.get(name) for name, kind in inputs.items() if name not in _language(inputs)}
    return fingerprint({name: "" if is_missing(value) else str(value) for name, value in told.items()})
