"""Tokens as text while they come: each costs the same, however long the text is already.

Source: the two offsets of vLLM's and text-generation-inference's incremental detokenization. tokenizers' `DecodeStream`
raises at bytes that never become a character; here the text is at each token what decoding all of them gives.
"""

import re
from typing import Any

from windlass.predictors.prompts import Ids

BROKEN = "\ufffd"
BYTE = re.compile(r"<0x[0-9A-F]{2}>\Z")
"""A token of one byte, of a vocabulary that falls back on bytes: a run of them is decoded as one or not at all."""


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
