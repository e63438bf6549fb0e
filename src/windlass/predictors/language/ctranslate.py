"""Continues token ids with CTranslate2: C++ without torch, for what it can do; the rest is left to `decoding`."""

import atexit
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np

from windlass.errors import DataError
from windlass.predictors.language.engine import FAST, MODEL, TOKENIZER, Join, Step, no_joiners, room, windows
from windlass.predictors.language.prompts import Ids, open_tokenizer
from windlass.predictors.language.threads import n_threads
from windlass.predictors.language.writing import Writing
from windlass.store.json_files import read_json


def open_decoder(folder: Path, end: Ids) -> "FastDecoder":
    """The converted model of an artifact. Raises: DataError: damaged."""
    import ctranslate2

    config = read_json(folder / MODEL / "config.json")
    is_pair = bool(isinstance(config, dict) and config.get("is_encoder_decoder"))
    opener = ctranslate2.Translator if is_pair else ctranslate2.Generator
    try:
        engine = opener(str(folder / FAST), device="cpu", inter_threads=1, intra_threads=n_threads())
    except (RuntimeError, ValueError) as error:
        raise DataError(f"{folder / FAST} is damaged ({str(error)[:200]}), expected a CTranslate2 model") from None
    return FastDecoder(engine, longest(config), open_tokenizer(folder / MODEL / TOKENIZER), end)


def longest(config: Any) -> int:
    """The positions that a configuration names: what torch can read, and what is not exceeded here either."""
    values = config if isinstance(config, dict) else {}
    return int(values.get("max_position_embeddings") or values.get("n_positions") or 10**6)


class FastDecoder:
    """Greedy, sampled and beam decoding by CTranslate2."""

    takes_more = False

    def __init__(self, engine: Any, longest: int, tokenizer: Any, end: Ids) -> None:
        self.engine, self.longest, self.tokenizer, self.end = engine, longest, tokenizer, end
        self.is_pair = hasattr(engine, "translate_batch")
        _OPEN.add(self)

    def can(self, how: Writing) -> bool:
        """Not by a schema, and without other likely tokens; by chance only where no seed must be kept a row."""
        return how.schema is None and not how.n_logprobs and not how.temperature and not how.echo

    def room(self, prompt: Ids) -> int:
        return room(len(prompt), self.longest, self.is_pair)

    def write(self, prompts: Sequence[Ids], how: Writing, step: Step, join: Join = no_joiners) -> None:
        """As `engine.Decoder`; nothing can join what CTranslate2 is writing.

        Raises: DataError: a prompt leaves no room for an answer.
        """
        rooms = [self.room(prompt) for prompt in prompts]
        begun = [prompt or self.end[:1] for prompt in prompts]
        for rows in [list(range(len(begun)))] if self.is_pair else _alike(begun, how):
            self._write([begun[row] for row in rows], [rooms[row] for row in rows], how, _renamed(step, rows))

    def _write(self, prompts: Sequence[Ids], rooms: Sequence[int], how: Writing, step: Step) -> None:
        """Continues prompts of about the same length."""
        names = [self._names(prompt) for prompt in prompts]
        shortest = min(map(len, prompts))
        rows = [
            Row(0 if self.is_pair else len(prompt) - shortest, room)
            for prompt, room in zip(prompts, rooms, strict=True)
        ]
        most = max(min(how.max_tokens, row.room) + row.forced for row in rows)
        options: dict[str, Any] = {
            "beam_size": how.beams,
            "repetition_penalty": how.repetition_penalty,
            "end_token": [self.tokenizer.id_to_token(token) for token in self.end],
            "return_scores": True,
        }
        if how.beams == 1:
            options["callback"] = _callback(step, frozenset(self.end), rows)
        if self.is_pair:
            found = self.engine.translate_batch(
                names,
                max_decoding_length=most,
                min_decoding_length=0,
                return_end_token=True,
                max_input_length=0,
                **options,
            )
            answers = [self._ids(item.hypotheses[0]) for item in found]
        else:
            found = self.engine.generate_batch(
                names, max_length=most, include_prompt_in_result=False, return_end_token=True, **options
            )
            answers = [list(item.sequences_ids[0]) for item in found]
        if how.beams > 1:
            self._tell(prompts, [answer[: row.room] for answer, row in zip(answers, rows, strict=True)], step)

    def _tell(self, prompts: Sequence[Ids], answers: Sequence[Ids], step: Step) -> None:
        for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
            share = -float(self.nats([prompt], [answer])[0]) / max(1, len(answer))
            for token in answer:
                if not step(row, token, share, ()):
                    break

    def nats(self, prompts: Sequence[Ids], answers: Sequence[Ids]) -> np.ndarray:
        """As `engine.Decoder`."""
        if self.is_pair:
            said = [answer[:-1] if answer[-1:] == self.end[:1] else answer for answer in answers]  # it adds the end
            pairs = [self._names(prompt) for prompt in prompts], [self._names(answer) for answer in said]
            found = self.engine.score_batch(*pairs, max_batch_size=2_048, batch_type="tokens", max_input_length=0)
            return np.array([-sum(item.log_probs[: len(answer)]) for item, answer in zip(found, answers, strict=True)])
        parts = [
            (number, before or self.end[:1], after)
            for number, (prompt, answer) in enumerate(zip(prompts, answers, strict=True))
            if answer
            for before, after in windows(prompt, answer, self.longest)
        ]
        whole = [self._names([*before, *after]) for _, before, after in parts]
        scored = self.engine.score_batch(whole, max_batch_size=2_048, batch_type="tokens", max_input_length=0)
        nats = np.zeros(len(answers))
        for (number, _, after), item in zip(parts, scored, strict=True):
            nats[number] -= sum(item.log_probs[-len(after) :])
        return nats

    def _names(self, ids: Ids) -> list[str]:
        return [self.tokenizer.id_to_token(number) for number in ids]

    def _ids(self, names: Sequence[str]) -> Ids:
        return [self.tokenizer.token_to_id(name) for name in names]


_OPEN: WeakSet[FastDecoder] = WeakSet()


@atexit.register
def _end_threads() -> None:
    """Ends the threads of CTranslate2 before the interpreter does: one that lets go of a callback later aborts it."""
    for decoder in list(_OPEN):
        decoder.engine = None


@dataclass
class Row:
    """What is known of a row while it is written. forced: tokens of its prompt that CTranslate2 tells as if they were
    written, since other prompts are shorter. room: tokens that it may write."""

    forced: int
    room: int
    n_told: int = 0
    has_ended: bool = False


def _alike(prompts: Sequence[Ids], how: Writing) -> list[list[int]]:
    """Groups of rows whose prompts differ by less than what is written; of the same length for beams.

    What a prompt is longer than the shortest is read token by token, and counts as written. Narrower groups, of equal
    lengths or of half, a quarter or an eighth of that difference, were 0 to 72 % slower with 16 tokens written (26 M
    weights, one core; docs/log.md, "generation").
    """
    most = how.max_tokens if how.beams == 1 else 0
    order = sorted(range(len(prompts)), key=lambda row: len(prompts[row]))
    groups: list[list[int]] = []
    for row in order:
        if not groups or len(prompts[row]) - len(prompts[groups[-1][0]]) > most:
            groups.append([])
        groups[-1].append(row)
    return groups


def _renamed(step: Step, rows: Sequence[int]) -> Step:
    return lambda row, token, logprob, others: step(rows[row], token, logprob, others)


def _callback(step: Step, end: frozenset[int], rows: Sequence[Row]) -> Any:

    def said(result: Any) -> bool:
        """True stops the row."""
        row = rows[result.batch_id]
        if result.step < row.forced or row.has_ended:
            return row.has_ended
        row.n_told += 1
        goes_on = step(result.batch_id, result.token_id, float(result.log_prob or 0.0), ())
        row.has_ended = not goes_on or result.token_id in end or row.n_told >= row.room
        return row.has_ended

    return said
