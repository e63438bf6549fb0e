"""Continues token ids with CTranslate2: C++ without torch, for what it can do; the rest is left to `decoding`."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError
from windlass.predictors.language import FAST, MODEL, TOKENIZER, Step
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
    return FastDecoder(engine, is_pair, open_tokenizer(folder / MODEL / TOKENIZER), end)


class FastDecoder:
    """Greedy, sampled and beam decoding by CTranslate2."""

    def __init__(self, engine: Any, is_pair: bool, tokenizer: Any, end: Ids) -> None:
        self.engine, self.is_pair, self.tokenizer, self.end = engine, is_pair, tokenizer, end

    def can(self, how: Writing) -> bool:
        """Not by a schema, and without other likely tokens; by chance only where no seed must be kept a row."""
        return how.schema is None and not how.n_logprobs and not how.temperature

    def write(self, prompts: Sequence[Ids], how: Writing, step: Step) -> None:
        """As `language.Decoder`."""
        names = [self._names(prompt or self.end[:1]) for prompt in prompts]
        options: dict[str, Any] = {
            "beam_size": how.beams,
            "repetition_penalty": how.repetition_penalty,
            "end_token": [self.tokenizer.id_to_token(token) for token in self.end],
            "return_scores": True,
        }
        if how.beams == 1:
            options["callback"] = _callback(step, frozenset(self.end))
        if self.is_pair:
            found = self.engine.translate_batch(names, max_decoding_length=how.max_tokens, return_end_token=True,
                                                max_input_length=0, **options)
            answers = [self._ids(item.hypotheses[0]) for item in found]
        else:
            found = self.engine.generate_batch(names, max_length=how.max_tokens, include_prompt_in_result=False,
                                               return_end_token=True, **options)
            answers = [list(item.sequences_ids[0]) for item in found]
        if how.beams > 1:
            self._tell(prompts, answers, step)

    def _tell(self, prompts: Sequence[Ids], answers: Sequence[Ids], step: Step) -> None:
        for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
            share = -float(self.nats([prompt], [answer])[0]) / max(1, len(answer))
            for token in answer:
                if not step(row, token, share, ()):
                    break

    def nats(self, prompts: Sequence[Ids], answers: Sequence[Ids]) -> np.ndarray:
        """As `language.Decoder`."""
        if self.is_pair:
            pairs = [self._names(prompt) for prompt in prompts], [self._names(answer) for answer in answers]
            found = self.engine.score_batch(*pairs, max_batch_size=2_048, batch_type="tokens", max_input_length=0)
            lengths = [len(answer) for answer in answers]
        else:
            begun = [prompt or self.end[:1] for prompt in prompts]
            whole = [self._names([*prompt, *answer]) for prompt, answer in zip(begun, answers, strict=True)]
            found = self.engine.score_batch(whole, max_batch_size=2_048, batch_type="tokens", max_input_length=0)
            lengths = [len(answer) for answer in answers]
        return np.array([-sum(item.log_probs[-length:]) if length else 0.0
                         for item, length in zip(found, lengths, strict=True)])

    def _names(self, ids: Ids) -> list[str]:
        return [self.tokenizer.id_to_token(number) for number in ids]

    def _ids(self, names: Sequence[str]) -> Ids:
        return [self.tokenizer.token_to_id(name) for name in names]


def _callback(step: Step, end: frozenset[int]) -> Any:
    ended: set[int] = set()

    def said(result: Any) -> bool:
        """True stops the row."""
        if result.batch_id in ended:
            return True
        goes_on = step(result.batch_id, result.token_id, float(result.log_prob or 0.0), ())
        if not goes_on or result.token_id in end:
            ended.add(result.batch_id)
            return True
        return False

    return said
