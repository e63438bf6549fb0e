"""How much of a growing text may be shown: nothing after a stop text, and nothing that may yet become one."""

from collections.abc import Sequence

from windlass.predictors.language.writing import Token


class Cut:
    """A text that grows piece by piece. `is_over`: it reached a stop text; `text` then ends before it."""

    def __init__(self, stop: Sequence[str]) -> None:
        self.stop = tuple(stop)
        self.longest = max((len(each) for each in self.stop), default=0)
        self.text = ""
        self.is_over = False
        self._shown = 0

    def add(self, piece: str) -> str:
        """What may be shown now that was not shown before."""
        if self.is_over:
            return ""
        searched = max(0, len(self.text) - self.longest + 1)
        self.text += piece
        found = [place for each in self.stop if (place := self.text.find(each, searched)) >= 0]
        if found:
            self.is_over = True
            self.text = self.text[: min(found)]
            return self.rest()
        return self._show(len(self.text) - self._held())

    def rest(self) -> str:
        """What was held back, once nothing more comes."""
        return self._show(len(self.text))

    def _show(self, until: int) -> str:
        shown, self._shown = self.text[self._shown : until], max(self._shown, until)
        return shown

    def _held(self) -> int:
        """Characters at the end with which a stop text begins."""
        for size in range(min(self.longest - 1, len(self.text)), 0, -1):
            if any(each.startswith(self.text[-size:]) for each in self.stop):
                return size
        return 0


def within(tokens: Sequence[Token], n_characters: int) -> tuple[Token, ...]:
    """The tokens, in order, that begin within so many characters."""
    kept, length = [], 0
    for token in tokens:
        if length >= n_characters:
            break
        kept.append(token)
        length += len(token.text)
    return tuple(kept)
