"""Tokens as text while they come: each costs the same, however long the text is already.

Source: the two offsets of vLLM's and text-generation-inference's incremental detokenization. tokenizers' `DecodeStream`
raises at bytes that never become a character; here the text is at each token what decoding all of them gives.
"""

import re
from typing import Any

from windlass.predictors.language.prompts import Ids

BROKEN = "\ufffd"
BYTE = re.compile(r"<0x[0-9A-F]{2}>\Z")
"""A token of one byte, of a vocabulary that falls back on bytes: a run of them is decoded as one or not at all."""


PRINTED = [*range(33, 127), *range(161, 173), *range(174, 256)]
BYTE_OF = {chr(byte): byte for byte in PRINTED} | {
    chr(256 + place): byte for place, byte in enumerate(sorted(set(range(256)) - set(PRINTED)))
}
"""What a letter of a byte-level vocabulary stands for. Source: GPT-2's `bytes_to_unicode`, Radford et al. 2019."""


def bytes_of(tokenizer: Any, token: int, text: str) -> bytes:
    """The bytes of a token whose text alone is this: a part of a character has no text of its own."""
    name = tokenizer.id_to_token(token) or ""
    if BYTE.match(name):
        return bytes([int(name[3:5], 16)])
    if BROKEN in text and all(letter in BYTE_OF for letter in name):
        return bytes(BYTE_OF[letter] for letter in name)
    return text.encode("utf-8", "replace")


class Detokenizer:
    """The text of the tokens so far. Only what came after the last safe boundary is decoded again, and what was told
    between the two last ones: some decoders treat the first token unlike the others."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.safe = ""
        self._skipped = {number for number, added in tokenizer.get_added_tokens_decoder().items() if added.special}
        self._known: Ids = []
        self._open: Ids = []
        self._n_known = 0

    def add(self, token: int) -> str:
        """The text so far with this token, without a character whose last bytes are still to come."""
        self._open.append(token)
        more = self._decoded([*self._known, *self._open])[self._n_known :]
        text = self.safe + more
        if more and not more.endswith(BROKEN) and not self._may_go_on(token):
            self.safe, self._known, self._open = text, self._open, []
            self._n_known = len(self._decoded(self._known))
        return text.rstrip(BROKEN)

    def _may_go_on(self, token: int) -> bool:
        """True when a run of bytes may reach over this token: it is one, or is skipped."""
        return token in self._skipped or BYTE.match(self.tokenizer.id_to_token(token) or "") is not None

    def _decoded(self, ids: Ids) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))
