"""Text in English, Chinese or both: words and characters as terms, ids for networks, pieces for pretrained models."""

import base64
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.kinds.contract import Batch, Kind, Parts, Place, Size, Sparse, has_surrogate, is_missing, shown
from windlass.kinds.formats.normal_form import MOST_GROWTH, n_characters, normalized
from windlass.kinds.sketch import MISSING, Profile, Sketch, Trait, digest, whole
from windlass.kinds.text_parts import answers, joined
from windlass.records import Json

MAX_CHARACTERS = 100_000
"""Of a text once it is normalised (NFKC)."""
CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af"
TOKEN = re.compile(rf"[{CJK}]|[^\W{CJK}]+(?:'[^\W{CJK}]+)?|[^\w\s]")
LINE_BREAK, ODD_SPACE = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]"), re.compile(r"[^\S\n\t]")
AT_ONCE = 4_096
"""Characters that are taken apart in one call: no other thread runs meanwhile."""
N_WORDS, LONG_WORD = 16_384, 32
"""Whose parts are kept at hand: so many words of at most so many characters, some 20 MB."""
BETWEEN = "\x1e"
SENTENCE_END = re.compile(r"[。！？!?\n]+|\.(?=\s)")
WORD = re.compile(rf"[{CJK}]|[^\W{CJK}]+(?:['’-][^\W{CJK}]+)*")
SPACES = re.compile(r"(\s)\s+")
MOST_PARTS = 64
SIZES = (1, 2, 3)
"""Words of a term."""
PAD, UNKNOWN = 0, 1
N_DIRECTIONS, N_STEPS, N_LENGTHS, N_NEW = 24, 31, 36, 11
SKETCHED_CHARACTERS, SKETCHED_WORDS, SKETCHED_ROWS, CACHED_WORDS = 4_000, 256, 10_000, 50_000
N_BUCKETS = 4_096
DIGITS = re.compile(r"[0-9]+")


def check(value: Any) -> str | None:
    value = joined(value)
    if is_missing(value):
        return None
    if not isinstance(value, str):
        return f"is {type(value).__name__}, expected text"
    if len(value) > MAX_CHARACTERS:
        return f"has {len(value):,} characters, expected at most {MAX_CHARACTERS:,}"
    if has_surrogate(value):
        return "holds half of a surrogate pair, expected valid Unicode"
    if len(value) * MOST_GROWTH > MAX_CHARACTERS and n_characters(value, MAX_CHARACTERS) > MAX_CHARACTERS:
        return f"has more than {MAX_CHARACTERS:,} characters once it is normalised (NFKC), expected at most so many"
    return None


def effort(value: Any) -> int:
    """Characters once it is normalised, of a text that is too long any number that is too many."""
    return n_characters(text, MAX_CHARACTERS) if isinstance(text := joined(value), str) else 0


def read(value: Any, root: Path | None) -> str:
    """The text, composed (NFC), odd spaces made plain, line breaks and indents kept; a missing text is empty."""
    value = joined(value)
    if is_missing(value):
        return ""
    fault = check(value)
    if fault:
        raise DataError(f"text {fault}")
    return ODD_SPACE.sub(" ", LINE_BREAK.sub("\n", normalized(value, "NFC"))).strip()


def clean(value: Any, root: Path | None) -> str:
    """The text as collected rows keep it; of a list each text, kept apart by a mark that no read text can hold."""
    if isinstance(value := answers(value), list | tuple) and joined(value) is value:
        return BETWEEN.join(read(each, root) for each in value)
    return read(value, root)


def several(value: str) -> list[str]:
    """The texts of a cleaned value, at least one: all the right answers of a row."""
    return value.split(BETWEEN)


def tokens(text: str) -> list[str]:
    """Lower-case words, single CJK characters and single marks, in order."""
    plain = normalized(text, "NFKC").lower()
    if len(plain) <= AT_ONCE:
        return TOKEN.findall(plain)
    return [match[0] for match in TOKEN.finditer(plain)]  # slower, and other threads run in between


def terms(text: str) -> Iterator[str]:
    """What a linear model counts: words and word pairs, and character n-grams (2-5) inside words.

    A CJK character is a word, so that pairs and triples of them stand in for segmentation.
    """
    return _terms(tokens(text))


def _terms(words: Sequence[str]) -> Iterator[str]:
    yield from words
    for first, second in pairwise(words):
        yield f"{first} {second}"
    for first, second, third in zip(words, words[1:], words[2:], strict=False):
        if len(first) == len(second) == len(third) == 1:
            yield f"{first} {second} {third}"
    for word in words:
        if len(word) > LONG_WORD:
            yield from _grams(word)
        elif len(word) > 2:
            yield from _kept_grams(word)


def _grams(word: str) -> Iterator[str]:
    padded = f"<{word}>"
    return (f"#{padded[start : start + length]}" for length in range(3, 6) for start in range(len(padded) - length + 1))


@lru_cache(N_WORDS)
def _kept_grams(word: str) -> tuple[str, ...]:
    """Words come again and again: to put their parts together was half the time of a linear model of texts."""
    return tuple(_grams(word))


def fit(values: Iterable[str], form: str, options: Json) -> Json:
    """State of the form:

    terms:  TF-IDF over at most `n_terms` terms of at least `min_rows` rows.
    ids:    one id a token of the `n_tokens` most frequent, at most `length` of them.
    pieces: ids of the given `tokenizer` (the text of a tokenizer.json), at most `length`.
    """
    if form == "terms":
        return _fit_terms(values, options.get("n_terms", 200_000), options.get("min_rows", 2))
    if form == "ids":
        return _fit_ids(values, options.get("n_tokens", 20_000), options.get("length", 256))
    return {"form": "pieces", "tokenizer": options["tokenizer"], "length": options["length"], "pad": options["pad"]}


def _fit_terms(values: Iterable[str], n_terms: int, min_rows: int) -> Json:
    rows_with: Counter[str] = Counter()
    n_rows = 0
    for value in values:
        rows_with.update(list(dict.fromkeys(terms(value))))  # no set: ties at the cut fall alike in every process
        n_rows += 1
    wanted = min(min_rows, max(1, n_rows // 50))
    kept = sorted(term for term, count in rows_with.most_common(n_terms) if count >= wanted)
    weights = [round(math.log((1 + n_rows) / (1 + rows_with[term])) + 1, 5) for term in kept]
    return {"form": "terms", "terms": kept, "weights": weights}


def _fit_ids(values: Iterable[str], n_tokens: int, length: int) -> Json:
    counts: Counter[str] = Counter()
    for value in values:
        counts.update(tokens(value)[:length])
    frequent = [token for token, count in counts.most_common(n_tokens - 2) if count > 1]
    return {"form": "ids", "tokens": frequent, "length": length, "pad": PAD}


def encode(values: Sequence[str], state: Json) -> Batch:
    """terms -> Sparse (n, terms), rows of unit length; ids and pieces -> (n, longest) int64, padded on the right."""
    if state["form"] == "terms":
        return _encode_terms(values, state)
    if state["form"] == "ids":
        place, length = _places(state, "tokens", offset=2), int(state["length"])
        rows = [[place.get(token, UNKNOWN) for token in tokens(value)[:length]] for value in values]
    else:
        tokenizer = _tokenizer(state["tokenizer"], state["length"])
        rows = [encoding.ids for encoding in tokenizer.encode_batch_fast(list(values))]
    return pad(rows, state["pad"])


def pad(rows: Sequence[Sequence[int]], filler: int) -> np.ndarray:
    """Rows of ids as one (n, longest) int64 array, at least one column wide."""
    width = max(1, max((len(row) for row in rows), default=1))
    batch = np.full((len(rows), width), filler, dtype=np.int64)
    for number, row in enumerate(rows):
        batch[number, : len(row)] = row
    return batch


def widths(ids: np.ndarray, filler: int) -> np.ndarray:
    """Tokens of each row (n, longest) up to the last real one, at least 1: (n,) int64."""
    real = ids != filler
    last = ids.shape[1] - real[:, ::-1].argmax(axis=1)
    return np.where(real.any(axis=1), last, 1)


def _encode_terms(values: Sequence[str], state: Json) -> Sparse:
    place, weights = _places(state, "terms"), _weights(state)
    starts, places, shares = [0], [], []
    for value in values:
        counts = Counter(map(place.get, terms(value)))
        counts.pop(None, None)  # terms that are not known
        spots = np.fromiter(counts.keys(), np.int32, len(counts))
        row = (1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))) * weights[spots]
        places.append(spots)
        shares.append(row / max(float(np.sqrt((row**2).sum())), 1e-12))
        starts.append(starts[-1] + len(counts))
    return Sparse(
        np.array(starts, np.int64),
        np.concatenate([*places, np.empty(0, np.int32)]),
        np.concatenate([*shares, np.empty(0)]).astype(np.float32),
        len(weights),
    )


_CACHE: dict[int, tuple[Json, dict[str, int], np.ndarray]] = {}


def _cached(state: Json, key: str, offset: int) -> tuple[Json, dict[str, int], np.ndarray]:
    """Vocabulary and weights of a state as fast look-ups, made once a state (kept for the last few)."""
    found = _CACHE.get(id(state))
    if found is None or found[0] is not state:
        if len(_CACHE) > 8:
            _CACHE.clear()
        vocabulary = {term: number + offset for number, term in enumerate(state[key])}
        found = (state, vocabulary, np.array(state.get("weights", []), np.float32))
        _CACHE[id(state)] = found
    return found


def _places(state: Json, key: str, offset: int = 0) -> dict[str, int]:
    return _cached(state, key, offset)[1]


def _weights(state: Json) -> np.ndarray:
    return _cached(state, "terms", 0)[2]


@lru_cache(maxsize=8)
def _tokenizer(text: str, length: int) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(text)
    tokenizer.no_padding()
    tokenizer.enable_truncation(length)
    return tokenizer


def find(value: str) -> list[Place]:
    """The sentences; of more than `MOST_PARTS`, as many runs of neighbours."""
    edges = [0, *(match.end() for match in SENTENCE_END.finditer(value)), len(value)]
    found = [place for start, end in pairwise(edges) if (place := _trimmed(value, start, end))]
    step = max(1, math.ceil(len(found) / MOST_PARTS))
    runs = [found[start : start + step] for start in range(0, len(found), step)]
    return [(run[0][0], run[-1][1]) for run in runs]


def _trimmed(value: str, start: int, end: int) -> tuple[int, int] | None:
    piece = value[start:end]
    if not piece.strip():
        return None
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def finer(value: str, place: Place) -> list[Place]:
    """The words and CJK characters of a sentence, each with the marks after it; none for a single one."""
    start, end = _span(place)
    first = [match.start() for match in WORD.finditer(value, start, end)]
    if len(first) < 2:
        return []
    edges = [start, *first[1:], end]
    return [found for left, right in pairwise(edges) if (found := _trimmed(value, left, right))]


def _span(place: Place) -> tuple[int, int]:
    assert len(place) == 2
    return place


def without(value: str, state: Json, places: Sequence[Place]) -> str:
    """The text with these spans left out, and one space where two would meet."""
    kept, last = [], 0
    for start, end in sorted(map(_span, places)):
        kept.append(value[last:start])
        last = max(last, end)
    kept.append(value[last:])
    return SPACES.sub(r"\1", "".join(kept)).strip()


def spread(value: str, state: Json, weights: np.ndarray) -> list[tuple[Place | None, float]]:
    """What each word is worth, from what each term is: a term's share goes to the words that make it, in equal parts.

    Words keep their own n-grams; a pair or triple of words is theirs together; a term that the text does not hold
    (a tree may ask for its absence) goes to the place None.
    """
    words, spans = _placed(value)
    vocabulary = _places(state, "terms")
    found: dict[int, tuple[list[int], ...]] = {}  # feature -> where it starts, of one, two and three words
    for size in SIZES:
        for start in range(len(words) - size + 1):
            for term in filter(vocabulary.__contains__, _terms_of_all(tuple(words[start : start + size]))):
                found.setdefault(vocabulary[term], ([], [], []))[size - 1].append(start)
    shares = np.zeros(len(words))
    for size in SIZES:
        starts = [start for of_size in found.values() for start in of_size[size - 1]]
        worth = [
            float(weights[feature]) / (sum(map(len, of_size)) * size)
            for feature, of_size in found.items()
            for _ in of_size[size - 1]
        ]
        each = np.bincount(starts, worth, len(words)) if starts else shares[:0]
        for step in range(size if starts else 0):
            shares[step:] += each[: len(words) - step]
    absent = float(np.delete(weights, list(found)).sum())
    told: dict[Place | None, float] = {None: absent} if absent else {}
    for span, share in zip(spans, shares.tolist(), strict=True):
        told[span] = told.get(span, 0.0) + share
    return list(told.items())


@lru_cache(maxsize=4096)
def _terms_of_all(words: tuple[str, ...]) -> tuple[str, ...]:
    """The terms that these neighbours make together, and fewer of them do not."""
    fewer = {*_terms(words[1:]), *_terms(words[:-1])} if len(words) > 1 else set()
    return tuple(term for term in dict.fromkeys(_terms(words)) if term not in fewer)


def _placed(value: str) -> tuple[list[str], list[Place]]:
    """The tokens, and the characters of the text that each was made of."""
    origins: list[tuple[int, int]] = []
    edges = [place for place, sign in enumerate(value) if not unicodedata.combining(sign)]
    for span in pairwise([*edges, len(value)]):
        origins += [span] * len(normalized(value[span[0] : span[1]], "NFKC").lower())
    plain = normalized(value, "NFKC").lower()
    if len(plain) != len(origins):  # neighbours that compose, in a few scripts: the text is one part
        return tokens(value), [(0, len(value))] * len(tokens(value))
    found = [match for match in TOKEN.finditer(plain)]  # noqa: C416  list() would let no other thread run
    return [match.group() for match in found], [
        (origins[match.start()][0], origins[match.end() - 1][1]) for match in found
    ]


# what is remembered of a text -----------------------------------------------------------------------------------------


def learn(values: Iterable[str]) -> Json:
    """What profiles of texts are made with; no word of training can be read off.

    known: its words as a Bloom filter (bits, base64): three hashes and 12 bits a word, so that less than 1 % of new
    words pass for known. frequent: for each of `N_BUCKETS` buckets of hashed words the log2 of its texts, in eighths.
    directions: what each bucket adds to a text's place, in 127ths of `step`.
    Source: Bloom 1970; Deerwester et al. 1990 (latent semantic analysis) over hashed words.
    """
    seen = [set(_sketched(value)) for value in islice(values, SKETCHED_ROWS)]
    texts_with = Counter(word for words in seen for word in words)
    keys = {word: digest(word) for word in texts_with}
    size = max(12, math.ceil(math.log2(12 * len(keys) + 1)))
    known, frequent = np.zeros(2**size, bool), np.zeros(N_BUCKETS)
    for word, key in keys.items():
        known[_bits(key, size)] = True
        frequent[_bucket(key)] += texts_with[word]
    levels = np.minimum(255, np.rint(8 * np.log2(1 + frequent))).astype(np.uint8)
    directions = _learn_directions([[_bucket(keys[word]) for word in words] for words in seen], _rarity(levels))
    step = float(f"{max(float(np.abs(directions).max()), 1e-9):.6g}")
    return {
        "texts": len(seen),
        "known": base64.b64encode(np.packbits(known).tobytes()).decode("ascii"),
        "frequent": base64.b64encode(levels.tobytes()).decode("ascii"),
        "directions": base64.b64encode(np.rint(directions * 127 / step).astype(np.int8).tobytes()).decode("ascii"),
        "step": step,
    }


def _rarity(levels: np.ndarray) -> np.ndarray:
    """The weight of each bucket: the log of how few of the texts hold one of its words."""
    texts = 2 ** (levels / 8.0)
    return np.log(1 + texts.max() / texts)


def _learn_directions(rows: Sequence[Sequence[int]], rarity: np.ndarray) -> np.ndarray:
    """(buckets, directions): along which the texts lie furthest apart; zeros for fewer texts than directions."""
    from scipy import sparse
    from sklearn.utils.extmath import randomized_svd

    used = [row for row in rows if row]
    if len(used) <= 2 * N_DIRECTIONS:
        return np.zeros((N_BUCKETS, N_DIRECTIONS))
    places = np.concatenate([np.array(row) for row in used])
    of_row = np.repeat(np.arange(len(used)), [len(row) for row in used])
    lengths = np.sqrt(np.bincount(of_row, weights=rarity[places] ** 2))
    table = sparse.csr_matrix(
        (rarity[places] / lengths[of_row], (of_row, places)), shape=(len(used), N_BUCKETS), dtype=np.float64
    )
    return randomized_svd(table, N_DIRECTIONS, random_state=13, n_iter=4)[2].T


def _sketched(value: str) -> list[str]:
    """The first words, each once, numbers alike, and pairs of neighbouring CJK characters: most words have two."""
    words = tokens(DIGITS.sub("0", value[:SKETCHED_CHARACTERS]))[:SKETCHED_WORDS]
    if not value.isascii():
        words += [one + other for one, other in pairwise(words) if _is_cjk(one) and _is_cjk(other)]
    return list(dict.fromkeys(words))


def _is_cjk(word: str) -> bool:
    return len(word) == 1 and word > "\u2fff"


def _bits(key: bytes, size: int) -> list[int]:
    return [int.from_bytes(key[start : start + 4]) % 2**size for start in (0, 4, 8)]


def _bucket(key: bytes) -> int:
    return int.from_bytes(key[:2]) % N_BUCKETS


class _Directions:
    """What a state makes of words: where each leads, how much it weighs, and whether training knew it."""

    def __init__(self, state: Json) -> None:
        self.known = np.unpackbits(np.frombuffer(base64.b64decode(state["known"]), np.uint8))
        self.size = len(self.known).bit_length() - 1
        self.rarity = _rarity(np.frombuffer(base64.b64decode(state["frequent"]), np.uint8))
        steps = np.frombuffer(base64.b64decode(state["directions"]), np.int8).reshape(N_BUCKETS, N_DIRECTIONS)
        self.directions = steps.astype(np.float32) * (state["step"] / 127)
        self.places: dict[str, int] = {}
        self.table = np.zeros((1_024, N_DIRECTIONS + 2), np.float32)

    def of(self, words: Sequence[str]) -> np.ndarray:
        """(words, directions + 2); the last columns: the square of its weight, and 1 for a new word."""
        if len(self.places) > CACHED_WORDS:
            self.places.clear()
        places = self.places
        spots = [places[word] if word in places else self._add(word) for word in words]
        return self.table[spots]

    def _add(self, word: str) -> int:
        place = self.places[word] = len(self.places)
        if place >= len(self.table):
            self.table = np.concatenate([self.table, np.zeros_like(self.table)])
        key = digest(word)
        weight = float(self.rarity[_bucket(key)])
        self.table[place, :-2] = self.directions[_bucket(key)] * weight
        self.table[place, -2:] = weight**2, not self.known[_bits(key, self.size)].all()
        return place


_DIRECTIONS: dict[int, tuple[Json, _Directions]] = {}


def _directions(state: Json) -> _Directions:
    found = _DIRECTIONS.get(id(state))
    if found is None or found[0] is not state:
        if len(_DIRECTIONS) > 8:
            _DIRECTIONS.clear()
        found = _DIRECTIONS[id(state)] = (state, _Directions(state))
    return found[1]


def profile(value: str, state: Json) -> Profile:
    """Length (two bins a doubling), tenths of words that are new, and where it lies along 24 directions (-31 to 31).

    No text can be read back; of few and common ones somebody who has the release can tell which by trying them all.
    """
    words = _sketched(value)
    if not words:
        return [MISSING] * (2 + N_DIRECTIONS)
    total = _directions(state).of(words).sum(axis=0)
    length = 1 + min(N_LENGTHS - 2, int(2 * math.log2(len(value))))
    new = math.ceil((N_NEW - 1) * float(total[-1]) / len(words))
    return [length, 1 + new, *whole(total[:-2], N_STEPS / math.sqrt(float(total[-2])), N_STEPS)]


def traits(state: Json) -> tuple[Trait, ...]:
    lengths = (0.0, *(2 ** (code / 2) for code in range(N_LENGTHS - 1)))
    shares = (0.0, *(code / (N_NEW - 1) for code in range(N_NEW)))
    return (
        Trait("empty", "rate", 0, N_LENGTHS, (MISSING,)),
        Trait("length", "ordered", 0, N_LENGTHS, scale=lengths),
        Trait("new words", "ordered", 1, N_NEW + 1, scale=shares),
        Trait("words", "vector", 2, N_DIRECTIONS),
    )


KIND = Kind(
    name="text",
    forms=("terms", "ids", "pieces"),
    check=check,
    read=read,
    fit=fit,
    encode=encode,
    clean=clean,
    is_prose=True,
    size=Size(
        lambda value: len(str(value)),
        ("short", "long"),
        "has at most {low:.0f} characters",
        "has at least {high:.0f} characters",
    ),
    describe=lambda value, state: "is missing" if not value else f"is {shown(value)}",
    parts=Parts(find, finer, without, spread, show=lambda value: value),
    sketch=Sketch(learn, profile, traits),
    effort=effort,
)
