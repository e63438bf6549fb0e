"""Writes with a language model: rows become prompts, tokens become text, an engine continues them.

An artifact holds `model/` in Hugging Face's form (config.json, model.safetensors, tokenizer.json), and, where a probe
found it faster, `fast/` for CTranslate2, which needs no torch.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from windlass.errors import DataError, NotReady, pip_install
from windlass.predictors.language import ctranslate, decoding
from windlass.predictors.language.detokenizer import Detokenizer, bytes_of
from windlass.predictors.language.engine import FAST, MODEL, TOKENIZER, Decoder, EchoesIds, EmbedsIds, Join, Share, Step
from windlass.predictors.language.prompts import Ids, Prompt, Prompts, Template, open_tokenizer, source
from windlass.predictors.language.writing import Echo, Intake, OnText, Token, Writing, Written
from windlass.records import Manifest, Row

MOST_ROWS = 32
"""Of one batch: more hardly writes faster on a processor, and takes memory."""
GATHER_S = 0.005
"""How long an engine that nothing can join waits for the next row, before it begins."""


def load(folder: Path, manifest: Manifest) -> "Language":
    """Raises: DataError: a part is damaged. NotReady: neither CTranslate2 nor torch is installed."""
    template = Template.from_json(manifest.settings.get("template", {}))
    tokenizer = open_tokenizer(folder / MODEL / TOKENIZER)
    _check(template, tokenizer)
    prompts = Prompts(tokenizer, template, manifest.inputs)
    return Language(prompts, _decoders(folder, template))


def _check(template: Template, tokenizer: Any) -> None:
    """Raises: DataError: the template is not one of this tokenizer."""
    around = [ids for pair in template.roles.values() for ids in pair]
    used = [
        number for ids in (template.start, template.default, template.answer, template.end, *around) for number in ids
    ]
    if template.most < 1 or not template.end or any(tokenizer.id_to_token(number) is None for number in used):
        raise DataError("manifest.json: template is damaged, expected token ids of the tokenizer, and one that ends")


def _decoders(folder: Path, template: Template) -> list[Callable[[], Decoder]]:
    """How to open each engine, the fastest first; an engine is opened when something first needs it."""
    found: list[Callable[[], Decoder]] = []
    if (folder / FAST).is_dir() and find_spec("ctranslate2") is not None:
        found.append(lambda: ctranslate.open_decoder(folder, template.end))
    return [*found, lambda: decoding.open_decoder(folder / MODEL, template.end)]


class Language:
    """A language model that answers rows."""

    is_generating = True

    def __init__(self, prompts: Prompts, openers: Sequence[Callable[[], Decoder]]) -> None:
        self.prompts, self.openers = prompts, list(openers)
        self.opened: dict[int, Decoder] = {}
        self._decoder(Writing())

    def _decoder(self, how: Writing) -> Decoder:
        """The first engine that can write so."""
        for number in range(len(self.openers)):
            if self._open(number).can(how):
                return self.opened[number]
        if how.echo:
            raise DataError("model reads prompts with an encoder, expected no 'echo': causal models support it")
        raise DataError("model cannot write in this way, expected fewer of the options")

    def _open(self, number: int) -> Decoder:
        if number not in self.opened:
            self.opened[number] = self.openers[number]()
        return self.opened[number]

    def write(self, rows: Sequence[Row], how: Writing, hear: OnText) -> list[Written]:
        """One text a row, in order. Raises: DataError: a row cannot be read."""
        if how.echo:
            return [self.echo(row, how, number, hear) for number, row in enumerate(rows)]
        decoder = self._decoder(how)
        scribes = [self._scribe(decoder, row, how, number, hear) for number, row in enumerate(rows)]
        order = sorted(scribes, key=lambda scribe: len(scribe.prompt.ids))
        for start in range(0, len(order), MOST_ROWS):
            batch = order[start : start + MOST_ROWS]
            decoder.write([scribe.prompt.ids for scribe in batch], how, _router(batch))
        return [scribe.written() for scribe in scribes]

    def serve(self, intake: Intake, how: Writing) -> None:
        """As `writing.Serves`."""
        if how.echo:
            self._serve_echoes(intake, how)
            return
        # 1. Rows join while others are written, so that nobody waits for the longest text of a batch.
        decoder = self._decoder(how)
        scribes: list[TextStreamer] = []
        n_taken = 0

        def join() -> list[Ids]:
            nonlocal n_taken
            n_before = len(scribes)
            for row, most in intake.take():
                try:
                    scribes.append(self._scribe(decoder, row, replace(how, max_tokens=most), n_taken, intake.hear))
                except DataError as error:
                    intake.refuse(n_taken, error)
                n_taken += 1
            return [scribe.prompt.ids for scribe in scribes[n_before:]]

        def step(place: int, token: int, logprob: float, others: Sequence[tuple[int, float]]) -> bool:
            goes_on = scribes[place].step(token, logprob, others)
            if not goes_on:
                intake.end(scribes[place].row, scribes[place].written())
            return goes_on

        # 2. A decoder that lets nobody join waits a moment for company instead. The longest text sets its length; each
        # scribe ends its own.
        if prompts := join() if decoder.takes_more else _gathered(join):
            most = max(scribe.how.max_tokens for scribe in scribes)
            decoder.write(prompts, replace(how, max_tokens=most), step, join)
        # 3. Who was cut off by the length is told as well: each row that was taken is ended once.
        for scribe in scribes:
            if not scribe.is_over:
                intake.end(scribe.row, scribe.written())

    def echo(self, row: Row, how: Writing, number: int, hear: OnText) -> Written:
        """As `writing.Echoes`; CTranslate2 tells too little, so this needs torch. Raises: NotReady: no torch."""
        decoder, asked = self._decoder(how), next(iter(row.values()))
        assert isinstance(decoder, EchoesIds)
        if isinstance(asked, list):
            ids, (text, offsets) = asked, self.prompts.given(asked)
        else:
            text = source(row)
            ids, offsets = self.prompts.plain(text)
        how = replace(how, max_tokens=min(how.max_tokens, decoder.room(ids)))
        scribe = TextStreamer(self.prompts, how, number, Prompt(ids), hear)
        shares: list[Share] = [(0.0, ()), *decoder.echo(ids, how, _router([scribe]))]
        told = [scribe.token(token, *share) for token, share in zip(ids, shares, strict=True)]
        return replace(scribe.written(), echo=Echo(text, tuple(told[-len(offsets) :]), tuple(offsets)))

    def _serve_echoes(self, intake: Intake, how: Writing) -> None:
        """One row after the other: what is told of a whole prompt takes the memory of many rows."""
        n_taken = 0
        while taken := intake.take():
            for number, (row, most) in enumerate(taken, n_taken):
                if not intake.hear(number, ""):
                    intake.end(number, Written("", "cancelled"))
                    continue
                try:
                    written = self.echo(row, replace(how, max_tokens=most), number, intake.hear)
                except DataError as error:
                    intake.refuse(number, error)
                else:
                    intake.end(number, written)
            n_taken += len(taken)

    def _scribe(self, decoder: Decoder, row: Row, how: Writing, number: int, hear: OnText) -> "TextStreamer":
        """Raises: DataError: the row cannot be read, or leaves no room for an answer."""
        prompt = self.prompts.of(row)
        most = min(how.max_tokens, decoder.room(prompt.ids))
        return TextStreamer(self.prompts, replace(how, max_tokens=most), number, prompt, hear)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """As `contract.Embeds`; CTranslate2 gives no hidden states, so this needs torch. Raises: NotReady: no torch."""
        ids = [self.prompts.text(text) for text in texts]
        for number in range(len(self.openers)):
            decoder = self._open(number)
            if isinstance(decoder, EmbedsIds):
                return decoder.embed(ids)
        raise NotReady("model was opened without torch, expected it", pip_install("llm"))

    def nats(self, rows: Sequence[Row], texts: Sequence[str]) -> np.ndarray:
        """(n,) negative log-likelihood of each text and its end after its row, in nats."""
        end = self.prompts.template.end[:1]
        answers = [[*self.prompts.text(text), *end] for text in texts]
        return self._decoder(Writing()).nats([self.prompts.of(row).ids for row in rows], answers)


def _gathered(join: Join) -> list[Ids]:
    """All who come within a moment of each other: else the first is written alone, and the others wait for its end."""
    found: list[Ids] = []
    while prompts := join():
        found += prompts
        time.sleep(GATHER_S)
    return found


def _router(batch: Sequence["TextStreamer"]) -> Step:
    def step(row: int, token: int, logprob: float, others: Sequence[tuple[int, float]]) -> bool:
        return batch[row].step(token, logprob, others)

    return step


class TextStreamer:
    """Turns the tokens of one answer into text as they come, and says when it is finished."""

    def __init__(self, prompts: Prompts, how: Writing, row: int, prompt: Prompt, hear: OnText) -> None:
        self.prompts, self.how, self.row, self.prompt, self.hear = prompts, how, row, prompt, hear
        self.n_tokens, self.logprob, self.is_over = 0, 0.0, False
        self.detokenizer = Detokenizer(prompts.tokenizer)
        self.text, self.told, self.finish = "", 0, "length"
        self.tokens: list[Token] = []

    def step(self, token: int, logprob: float, others: Sequence[tuple[int, float]]) -> bool:
        """Takes a token; false when the answer is complete or nobody listens."""
        self.logprob += logprob
        self.n_tokens += 1
        ends = token in self.prompts.template.end
        if self.how.n_logprobs is not None and (self.how.echo or not ends):
            self.tokens.append(self.token(token, logprob, others))
        if ends:
            return self._end("stop")
        self.text = self.detokenizer.add(token)
        if not self.how.echo:
            self.text = self.text.lstrip("\n")
        found = [place for stop in self.how.stop if (place := self.text.find(stop)) >= 0]
        if found:
            self.text = self.text[: min(found)]
            return self._end("stop")
        if not self._tell(len(self.text) - self._held()):
            return self._end("cancelled")
        return True if self.n_tokens < self.how.max_tokens else self._end("length")

    def token(self, token: int, logprob: float, others: Sequence[tuple[int, float]]) -> Token:
        """A token with its name and those of the likeliest others."""
        ids = [token, *(other for other, _ in others)]
        names = [self._name(each) for each in ids]
        raw = tuple(bytes_of(self.prompts.tokenizer, each, name) for each, name in zip(ids, names, strict=True))
        return Token(names[0], logprob, tuple(zip(names[1:], (share for _, share in others), strict=True)), raw)

    def _held(self) -> int:
        """Characters at the end that may be the beginning of a stop text, or line breaks that may be the last."""
        longest = max((len(stop) for stop in self.how.stop), default=0)
        for size in range(min(longest - 1, len(self.text)), 0, -1):
            if any(stop.startswith(self.text[-size:]) for stop in self.how.stop):
                return size + self._breaks(len(self.text) - size)
        return self._breaks(len(self.text))

    def _breaks(self, until: int) -> int:
        """Line breaks right before this place."""
        return until - len(self.text[:until].rstrip("\n"))

    def _tell(self, until: int) -> bool:
        piece = self.text[self.told : until]
        self.told = max(self.told, until)
        return self.hear(self.row, piece) if piece else self.hear(self.row, "")

    def _end(self, finish: str) -> bool:
        self.finish, self.is_over = finish, True
        if finish == "stop" and not self.how.echo:
            self.text = self.text.rstrip("\n")
        self._flush()
        return False

    def _flush(self) -> None:
        """Tells what was held back, now that nothing more comes."""
        if self.finish != "cancelled" and self.told < len(self.text):
            self._tell(len(self.text))

    def _name(self, token: int) -> str:
        return self.prompts.tokenizer.decode([token], skip_special_tokens=False)

    def written(self) -> Written:
        self._flush()  # an engine without room for more ends a text by itself
        return Written(
            self.text,
            self.finish,
            len(self.prompt.ids),
            self.n_tokens,
            self.logprob,
            tuple(self.tokens),
            self.prompt.n_cut,
        )
