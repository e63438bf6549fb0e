"""Continues token ids with torch and transformers: one padded batch, a key-value cache, rows leave as they finish.

Shapes: B rows, T tokens, V vocabulary. torch is imported when a model is opened, nowhere else in this room.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from windlass.errors import DataError, NotReady, pip_install
from windlass.predictors.language.engine import TOKENIZER, Join, Share, Step, no_joiners, room, windows
from windlass.predictors.language.grammar import Grammar
from windlass.predictors.language.prompts import Ids
from windlass.predictors.language.writing import Writing

if TYPE_CHECKING:
    import torch

MOST_SCORED, MOST_LOGITS = 4_096, 2**27
"""Tokens of one batch whose likelihood is asked, and the numbers that may take: half a gigabyte."""
MOST_ECHOED = 2**25
"""Numbers that the logits of an echo may take at once: 128 MiB."""
MOST_EMBEDDED = 8
"""Texts that are read at once."""


def open_decoder(folder: Path, end: Ids) -> "TorchDecoder":
    """The model of a folder in Hugging Face's form, safetensors alone. Raises: DataError, NotReady."""
    try:
        import torch
        from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM
        from transformers.utils import logging
    except ImportError:
        raise NotReady("language model needs torch and transformers", pip_install("llm")) from None
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    where: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        config = AutoConfig.from_pretrained(str(folder), **where)
        opener: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        model, read = opener.from_pretrained(
            str(folder), config=config, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **where
        )
    except Exception as error:  # noqa: BLE001  any value can stand in a damaged file, and any error come of it
        raise DataError(f"{folder} cannot be opened ({str(error)[:200]}), expected a language model") from None
    if odd := sorted([*read["missing_keys"], *read["unexpected_keys"]]):
        raise DataError(f"{folder}: weights and config.json differ in '{odd[0]}', expected those of one model")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return TorchDecoder(model.to(device), end, folder / TOKENIZER)


class TorchDecoder:
    """A model of transformers, in `eval` mode."""

    takes_more = True

    def __init__(self, model: Any, end: Ids, tokenizer: Path | None = None, most_echoed: int = MOST_ECHOED) -> None:
        self.model, self.end, self.tokenizer = model.eval(), frozenset(end), tokenizer
        self.begin, self.most_echoed = list(end[:1]), most_echoed
        config = model.config
        self.is_pair = bool(config.is_encoder_decoder)
        self.longest = int(getattr(config, "max_position_embeddings", 0) or getattr(config, "n_positions", 0) or 10**6)
        self.start = getattr(config, "decoder_start_token_id", None) or 0
        self.n_tokens = int(config.get_text_config().vocab_size)
        self.banned = banned(model)
        self.takes = frozenset(inspect.signature(getattr(model, "get_base_model", lambda: model)().forward).parameters)

    def can(self, how: Writing) -> bool:
        if how.echo:
            return how.beams == 1 and not self.is_pair
        return how.beams == 1 or how.schema is None

    def room(self, prompt: Ids) -> int:
        return room(len(prompt), self.longest, self.is_pair)

    def write(self, prompts: Sequence[Ids], how: Writing, step: Step, join: Join = no_joiners) -> None:
        """As `engine.Decoder`. Raises: DataError: a prompt leaves no room for an answer."""
        import torch

        rooms = [self.room(prompt) for prompt in prompts]
        with torch.inference_mode():
            if how.beams > 1:
                self._search(prompts, min(how.max_tokens, *rooms), how, step)
            else:
                self._walk(prompts, how, step, join)

    # One token at a time ---------------------------------------------------------------------------------------

    def _walk(self, prompts: Sequence[Ids], how: Writing, step: Step, join: Join) -> None:
        batch, n_begun = self._begun(prompts, 0, how, step), len(prompts)
        while batch.rows:
            if batch.can_grow and (prompts := join()):
                batch.add(self._begun(prompts, n_begun, how, step))
                n_begun += len(prompts)
            self._advance(batch, how, step)

    def _begun(self, prompts: Sequence[Ids], first: int, how: Writing, step: Step) -> "_Batch":
        """A batch of these prompts, numbered from `first`, after its first token."""
        rows = [_Row.of(self, first + place, prompt, how) for place, prompt in enumerate(prompts)]
        batch = _Batch(self, rows, prompts)
        self._advance(batch, how, step)
        return batch

    def _advance(self, batch: "_Batch", how: Writing, step: Step) -> None:
        """One more token for each row; those that have ended leave."""
        import torch

        logits_BV = batch.logits()
        logprobs_BV = torch.log_softmax(logits_BV, dim=-1)
        kept, tokens = [], []
        for place, row in enumerate(batch.rows):
            token = _choose(logits_BV[place], how, row)
            row.said.append(token)
            row.grammar.take(token)
            others = _likeliest(logprobs_BV[place], how.n_logprobs)
            goes_on = step(row.number, token, float(logprobs_BV[place, token]), others) and token not in self.end
            if goes_on and row.grammar.is_complete:
                step(row.number, self.begin[0], 0.0, ())  # nothing but the end may follow
            elif goes_on and len(row.said) < row.most:
                kept.append(place)
                tokens.append(token)
        batch.keep(kept, tokens)

    def echo(self, prompt: Ids, how: Writing, step: Step) -> "list[Share]":
        """As `engine.EchoesIds`. Raises: DataError: the prompt leaves no room for an answer."""
        import torch

        with torch.inference_mode():
            batch = _Batch(self, [_Row.of(self, 0, prompt, how)], [prompt])
            found = self._read(batch, prompt, how.n_logprobs)
            while how.max_tokens and batch.rows:
                self._advance(batch, how, step)
        return found

    def _read(self, batch: "_Batch", prompt: Ids, n_others: int | None) -> "list[Share]":
        """Reads all but the last token of the only row; tells of each that followed."""
        import torch

        found: list[Share] = []
        size, last = max(1, self.most_echoed // self.n_tokens), len(prompt) - 1
        for first in range(0, last, size):
            logprobs_TV = torch.log_softmax(batch.read(prompt[first : min(first + size, last)]), dim=-1)
            for token, logprobs_V in zip(prompt[first + 1 :], logprobs_TV, strict=False):
                found.append((float(logprobs_V[token]), _likeliest(logprobs_V, n_others)))
        return found

    def _search(self, prompts: Sequence[Ids], most: int, how: Writing, step: Step) -> None:
        """Beam search by transformers; the answer is told when it is complete."""
        import torch

        begun = prompts if self.is_pair else [prompt or self.begin for prompt in prompts]
        ids_BT, mask_BT = padded(begun, on_left=not self.is_pair)
        fits = self.longest - (1 if self.is_pair else ids_BT.shape[1])
        found = self.model.generate(
            input_ids=ids_BT.to(self.model.device),
            attention_mask=mask_BT.to(self.model.device),
            num_beams=how.beams,
            max_new_tokens=min(most, fits),
            do_sample=False,
            pad_token_id=0,
            eos_token_id=sorted(self.end),
            repetition_penalty=how.repetition_penalty,
            length_penalty=1.0,
        )
        first = 1 if self.is_pair else ids_BT.shape[1]
        answers = [self._until_end(row[first:].tolist()) for row in found]
        for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
            shares = self._logprobs([prompt], [answer])[0] if answer else torch.zeros(0)
            for token, share in zip(answer, shares.tolist(), strict=True):
                if not step(row, token, share, ()):
                    break

    def _until_end(self, tokens: Ids) -> Ids:
        place = next((number for number, token in enumerate(tokens) if token in self.end), None)
        return tokens if place is None else tokens[: place + 1]

    # Likelihood ------------------------------------------------------------------------------------------------

    def nats(self, prompts: Sequence[Ids], answers: Sequence[Ids]) -> np.ndarray:
        """As `engine.Decoder`; an answer longer than the model's memory is read in overlapping windows."""
        import torch

        found = np.zeros(len(prompts))
        parts = [
            (number, before, after)
            for number, (prompt, answer) in enumerate(zip(prompts, answers, strict=True))
            for before, after in ([(prompt, answer)] if self.is_pair else windows(prompt, answer, self.longest))
        ]
        parts.sort(key=lambda part: len(part[1]) + len(part[2]))
        start, most = 0, min(MOST_SCORED, MOST_LOGITS // self.n_tokens)
        with torch.inference_mode():
            while start < len(parts):
                width = len(parts[min(start + 63, len(parts) - 1)][1]) + len(parts[min(start + 63, len(parts) - 1)][2])
                group = parts[start : start + max(1, min(64, most // max(1, width)))]
                shares = self._logprobs([part[1] for part in group], [part[2] for part in group])
                for (number, _, _), share in zip(group, shares, strict=True):
                    found[number] -= float(share.double().sum())
                start += len(group)
        return found

    def embed(self, texts: Sequence[Ids]) -> np.ndarray:
        """(n, d) float32: the mean of the last layer over the tokens of each text, as many as the model has positions.

        Of an encoder-decoder, its encoder's.
        """
        import torch

        reader = self.model.get_encoder() if self.is_pair else self.model.base_model
        begun = [text[: self.longest] or self.begin for text in texts]
        found: list[np.ndarray] = []
        with torch.inference_mode():
            for start in range(0, len(begun), MOST_EMBEDDED):
                ids_BT, mask_BT = padded(begun[start : start + MOST_EMBEDDED], on_left=False)
                device = self.model.device
                out = reader(input_ids=ids_BT.to(device), attention_mask=mask_BT.to(device))
                states_BTD, seen_BT1 = out.last_hidden_state.float().cpu(), mask_BT[..., None]
                found.extend(((states_BTD * seen_BT1).sum(1) / seen_BT1.sum(1)).numpy())
        return np.array(found, np.float32)

    def _logprobs(self, prompts: Sequence[Ids], answers: Sequence[Ids]) -> "list[torch.Tensor]":
        """The log-probability of each token of each answer. A prompt of no tokens begins with the end token."""
        import torch

        device = self.model.device
        if self.is_pair:
            source_BT, seen_BT = padded(prompts, on_left=False)
            target_BT, _ = padded([[self.start, *answer[:-1]] for answer in answers], on_left=False)
            logits_BTV = self.model(
                input_ids=source_BT.to(device),
                attention_mask=seen_BT.to(device),
                decoder_input_ids=target_BT.to(device),
            ).logits
            firsts = [0] * len(answers)
        else:
            begun = [prompt or self.begin for prompt in prompts]
            whole = [[*prompt, *answer[:-1]] for prompt, answer in zip(begun, answers, strict=True)]
            ids_BT, mask_BT = padded(whole, on_left=False)
            logits_BTV = self.model(input_ids=ids_BT.to(device), attention_mask=mask_BT.to(device)).logits
            firsts = [len(prompt) - 1 for prompt in begun]
        logits_BTV[..., self.banned] = float("-inf")
        shares_BTV = torch.log_softmax(logits_BTV.float(), dim=-1).cpu()
        return [
            shares_BTV[row, torch.arange(first, first + len(answer)), torch.tensor(answer, dtype=torch.long)]
            for row, (first, answer) in enumerate(zip(firsts, answers, strict=True))
        ]


@dataclass
class _Row:
    """A row that is being written. most: tokens that there are positions for."""

    number: int
    most: int
    chance: "torch.Generator"
    grammar: Grammar
    said: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, decoder: TorchDecoder, number: int, prompt: Ids, how: Writing) -> "_Row":
        """Raises: DataError: the prompt leaves no room, or the schema cannot be kept."""
        import torch

        chance = torch.Generator().manual_seed((how.seed + 7_919 * number) % 2**31)
        grammar = Grammar.of(how.schema, decoder.tokenizer, sorted(decoder.end))
        return cls(number, decoder.room(prompt), chance, grammar)


class _Batch:
    """The rows that are still being written, with their cache; what a row lacks stands before it, masked."""

    def __init__(self, decoder: TorchDecoder, rows: list[_Row], prompts: Sequence[Ids]) -> None:
        self.model, self.is_pair = decoder.model, decoder.is_pair
        self.takes, self.banned = decoder.takes, decoder.banned
        self.kept = "cache" if "cache" in self.takes else "past_key_values"  # as transformers called it before 5.24
        self.rows = rows
        self.cache: Any = None
        device = self.model.device
        ids_BT, mask_BT = padded([prompt or decoder.begin for prompt in prompts], on_left=not self.is_pair)
        self.mask_BT = mask_BT.to(device)
        self.encoded: Any = None
        self.next_BT = ids_BT.to(device)
        if self.is_pair:
            import torch

            encoder = self.model.get_encoder()
            self.encoded = encoder(input_ids=self.next_BT, attention_mask=self.mask_BT)
            self.next_BT = torch.full((len(prompts), 1), decoder.start, device=device)

    @property
    def can_grow(self) -> bool:
        """Where the cache is all that is remembered of a row, and remembers all of it, others can be laid beside it."""
        from transformers.cache_utils import DynamicCache, DynamicLayer

        return type(self.cache) is DynamicCache and all(type(layer) is DynamicLayer for layer in self.cache.layers)

    def logits(self) -> "torch.Tensor":
        """(B, V), of the next token."""
        if self.is_pair:
            out = self.model(
                encoder_outputs=self.encoded,
                attention_mask=self.mask_BT,
                decoder_input_ids=self.next_BT,
                use_cache=True,
                **{self.kept: self.cache},
            )
        else:
            places_BT = (self.mask_BT.cumsum(dim=1) - 1).clamp(min=0)[:, -self.next_BT.shape[1] :]
            wanted: dict[str, Any] = {"position_ids": places_BT, "logits_to_keep": 1, self.kept: self.cache}
            out = self.model(
                input_ids=self.next_BT,
                attention_mask=self.mask_BT,
                use_cache=True,
                **{name: each for name, each in wanted.items() if name in self.takes},
            )
        self.cache = out[self.kept]
        logits_BV = out.logits[:, -1].float().cpu()
        logits_BV[:, self.banned] = float("-inf")
        return logits_BV

    def read(self, ids: Ids) -> "torch.Tensor":
        """(T, V) logits of what follows each of these, which stand next in the prompt of the only row."""
        import torch

        pieces_BT = torch.tensor([ids], device=self.model.device)
        out = self.model(input_ids=pieces_BT, use_cache=True, **{self.kept: self.cache})
        self.cache, self.next_BT = out[self.kept], self.next_BT[:, len(ids) :]
        logits_TV: torch.Tensor = out.logits[0].float().cpu()
        return logits_TV

    def keep(self, places: list[int], tokens: list[int]) -> None:
        """Goes on with these places of the batch, each with the token that it wrote."""
        import torch

        device = self.model.device
        if len(places) < len(self.rows):
            self._select(places)
        if not places:
            return
        self.next_BT = torch.tensor(tokens, dtype=torch.long, device=device)[:, None]
        if not self.is_pair:
            self.mask_BT = torch.cat([self.mask_BT, self.mask_BT.new_ones(len(places), 1)], dim=1)

    def _select(self, places: list[int]) -> None:
        import torch

        self.rows = [self.rows[place] for place in places]
        if not places:
            return
        chosen = torch.tensor(places, device=self.model.device)
        self.cache.batch_select_indices(chosen)
        self.mask_BT = self.mask_BT[chosen]
        if self.is_pair:
            self.encoded.last_hidden_state = self.encoded.last_hidden_state[chosen]
        elif self.can_grow:
            self._trim(int(self.mask_BT.argmax(dim=1).min()))

    def _trim(self, n_unused: int) -> None:
        """Forgets the first places of the cache, which only rows that have left had used."""
        self.mask_BT = self.mask_BT[:, n_unused:]
        for layer in self.cache.layers if n_unused else ():
            layer.keys, layer.values = layer.keys[:, :, n_unused:], layer.values[:, :, n_unused:]

    def add(self, other: "_Batch") -> None:
        """Lays the rows of another batch beside these. Both have written the token that they read next."""
        import torch
        from torch.nn.functional import pad

        if not other.rows:
            return
        width = max(self.mask_BT.shape[1], other.mask_BT.shape[1])
        spare, lack = width - self.mask_BT.shape[1], width - other.mask_BT.shape[1]
        for layer, more in zip(self.cache.layers, other.cache.layers, strict=True):
            layer.keys = torch.cat([pad(layer.keys, (0, 0, spare, 0)), pad(more.keys, (0, 0, lack, 0))])
            layer.values = torch.cat([pad(layer.values, (0, 0, spare, 0)), pad(more.values, (0, 0, lack, 0))])
        self.mask_BT = torch.cat([pad(self.mask_BT, (spare, 0)), pad(other.mask_BT, (lack, 0))])
        self.next_BT = torch.cat([self.next_BT, other.next_BT])
        self.rows += other.rows


def banned(model: Any) -> Ids:
    """Tokens that the model must never write, as it says itself: Marian's padding, whose logit was never trained."""
    config = getattr(model, "generation_config", None)
    alone = [words[0] for words in getattr(config, "bad_words_ids", None) or () if len(words) == 1]
    return [*alone, *(getattr(config, "suppress_tokens", None) or ())]


def padded(rows: Sequence[Ids], on_left: bool) -> "tuple[torch.Tensor, torch.Tensor]":
    """Ids (B, T) int64 and their mask (B, T), filled with 0."""
    import torch

    width = max(1, *(len(row) for row in rows))
    ids_BT, mask_BT = torch.zeros(len(rows), width, dtype=torch.long), torch.zeros(len(rows), width, dtype=torch.long)
    for number, row in enumerate(rows):
        place = slice(width - len(row), width) if on_left else slice(0, len(row))
        ids_BT[number, place] = torch.tensor(row, dtype=torch.long)
        mask_BT[number, place] = 1
    return ids_BT, mask_BT


def _choose(logits_V: "torch.Tensor", how: Writing, row: _Row) -> int:
    """The next token: the likeliest, or one by chance.

    Source: repetition penalty, Keskar et al. 2019, arXiv:1909.05858; nucleus sampling, Holtzman et al. 2020.
    """
    import torch

    logits_V = row.grammar.allowed(logits_V)
    if how.repetition_penalty != 1 and row.said:
        seen = torch.tensor(sorted(set(row.said)))
        values = logits_V[seen]
        factor = torch.where(values > 0, 1 / how.repetition_penalty, how.repetition_penalty)
        logits_V = logits_V.clone()
        logits_V[seen] = values * factor
    if not how.temperature:
        return int(logits_V.argmax())
    shares_V = torch.softmax(logits_V / how.temperature, dim=-1)
    if how.top_p < 1:
        ranked, order = shares_V.sort(descending=True)
        ranked[ranked.cumsum(0) - ranked >= how.top_p] = 0
        return int(order[torch.multinomial(ranked, 1, generator=row.chance)])
    return int(torch.multinomial(shares_V, 1, generator=row.chance))


def _likeliest(logprobs_V: "torch.Tensor", n_others: int | None) -> list[tuple[int, float]]:
    if not n_others:
        return []
    values, tokens = logprobs_V.topk(n_others)
    return list(zip(tokens.tolist(), values.tolist(), strict=True))
