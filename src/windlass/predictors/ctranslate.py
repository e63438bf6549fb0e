"""Continues token ids with CTranslate2: C++ without torch, for what it can do; the rest is left to `decoding`."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.predictors.language import FAST, MODEL, TOKENIZER, Step, windows
from windlass.predictors.prompts import Ids, open_tokenizer
from windlass.predictors.writing import Writing
from windlass.store import read_json


def open_decoder(folder: Path, end: Ids) -> "FastDecoder":
    """The converted model of an artifact. Raises: DataError: damaged."""
    import ctranslate2

    config = read_json(folder / MODEL / "config.json")
    is_pair = bool(isinstance(config, dict) and config.get("is_encoder_decoder"))
    opener = ctranslate2.Translator if is_pair else ctranslate2.Generator
    threads = max(1, min(8, len(os.sched_getaffinity(0))))
    try:
        engine = opener(str(folder / FAST), device="cpu", inter_threads=1, intra_threads=threads)
    except (RuntimeError, ValueError) as error:
        raise DataError(f"{folder / FAST} is damaged ({str(error)[:200]}), expected a CTranslate2 model") from None
    return FastDecoder(engine, longest(config), open_tokenizer(folder / MODEL / TOKENIZER), end)


def longest(config: Any) -> int:
    """The positions that a configuration names: what torch can read, and what is not exceeded here either."""
    values = config if isinstance(config, dict) else {}
    return int(values.get("max_position_embeddings") or values.get("n_positions") or 10**6)


class FastDecoder:
    """Greedy, sampled and beam decoding by CTranslate2."""

    def __init__(self, engine: Any, longest: int, tokenizer: Any, end: Ids) -> None:
        self.engine, self.longest, self.tokenizer, self.end = engine, longest, tokenizer, end
        self.is_pair = hasattr(engine, "translate_batch")

    def can(self, how: Writing) -> bool:
        """Not by a schema, and without other likely tokens; by chance only where no seed must be kept a row."""
        return how.schema is None and not how.n_logprobs and not how.temperature

    def write(self, prompts: Sequence[Ids], how: Writing, step: Step) -> None:
        """As `language.Decoder`. Raises: DataError: a prompt leaves no room for an answer."""
        for prompt in prompts:
            if not self.is_pair and len(prompt) >= self.longest:
                raise DataError(f"prompt has {len(prompt):,} tokens, expected fewer than {self.longest:,}")
        names = [self._names(prompt or self.end[:1]) for prompt in prompts]
        rooms = [self.longest if self.is_pair else self.longest - len(prompt or self.end[:1]) + 1 for prompt in prompts]
        most = min(how.max_tokens, max(rooms, default=1))
        options: dict[str, Any] = {
            "beam_size": how.beams,
            "repetition_penalty": how.repetition_penalty,
            "end_token": [self.tokenizer.id_to_token(token) for token in self.end],
            "return_scores": True,
        }
        if how.beams == 1:
            options["callback"] = _callback(step, frozenset(self.end), rooms)
        if self.is_pair:
            found = self.engine.translate_batch(names, max_decoding_length=most, return_end_token=True,
                                                max_input_length=0, **options)
            answers = [self._ids(item.hypotheses[0]) for item in found]
        else:
            found = self.engine.generate_batch(names, max_length=most, include_prompt_in_result=False,
                                               return_end_token=True, **options)
            answers = [list(item.sequences_ids[0]) for item in found]
        if how.beams > 1:
            self._tell(prompts, [answer[:room] for answer, room in zip(answers, rooms, strict=True)], step)

    def _tell(self, prompts: Sequence[Ids], answers: Sequence[Ids], step: Step) -> None:
        for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
            share = -float(self.nats([prompt], [answer])[0]) / max(1, len(answer))
            for token in answer:
                if not step(row, token, share, ()):
                    break

    def nats(self, prompts: Sequence[Ids], answers: Sequence[Ids]) -> np.ndarray:
        """As `language.Decoder`."""
        if self.is_pair:
            said = [answer[:-1] if answer[-1:] == self.end[:1] else answer for answer in answers]  # it adds the end
            pairs = [self._names(prompt) for prompt in prompts], [self._names(answer) for answer in said]
            found = self.engine.score_batch(*pairs, max_batch_size=2_048, batch_type="tokens", max_input_length=0)
            return np.array([-sum(item.log_probs[: len(answer)]) for item, answer in zip(found, answers, strict=True)])
        parts = [(number, before or self.end[:1], after)
                 for number, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)) if answer
                 for before, after in windows(prompt, answer, self.longest)]
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


def _callback(step: Step, end: frozenset[int], rooms: Sequence[int]) -> Any:
    """Args: rooms: the tokens that each row may write."""
    ended: set[int] = set()

    def said(result: Any) -> bool:
        """True stops the row."""
        if result.batch_id in ended:
            return True
        goes_on = step(result.batch_id, result.token_id, float(result.log_prob or 0.0), ())
        if not goes_on or result.token_id in end or result.step + 1 >= rooms[result.batch_id]:
            ended.add(result.batch_id)
            return True
        return False

    return said
