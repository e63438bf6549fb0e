"""What is looked for when a document is forgotten: the sentences that it alone had, and how a text quotes them."""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from windlass.database.erasure import cites
from windlass.records import Passage
from windlass.sources.documents.forgotten import plain
from windlass.sources.documents.passages import size_of
from windlass.sources.documents.sentences import sentences

LEAST = 2.0
"""Words (1.7 Chinese characters are one) from which on a sentence is looked for inside of other texts: a shorter one,
such as `Yes.`, stands everywhere by chance, and is a trace only where it is all that is said."""
MOST_NESTED, MOST_SHORT = 3, 1_000
ESCAPE, SURROGATE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL), re.compile("[\ud800-\udfff]")
SIGNS = {"n": " ", "t": " ", "r": " ", "b": " ", "f": " "}
ENDS = ".。!！?？;；:： "


@dataclass(frozen=True)
class Words:
    """document: its path. asked: title and each sentence, as they are asked afterwards. own: sentences, and the title,
    that no other document has to the letter, with one space between words and without the mark at their end; short: of
    these the ones that are looked for as a whole text alone. n_shared: sentences that others have, too."""

    document: str
    title: str = ""
    asked: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    n_shared: int = 0

    def quote(self, text: str) -> bool:
        """True of a text that holds a sentence to the letter, as it is or as JSON and HTML write it; never of none."""
        if self.short and len(text) < MOST_SHORT and plain(text).rstrip(ENDS) in self.short:
            return True
        return self.held_by(plain(unescaped(text)))

    def held_by(self, said: str) -> bool:
        """The same of a text that is plain and unescaped already, without the short ones."""
        return bool(self.own) and bool(pl.Series([said]).str.contains_any(list(self.own))[0])

    def in_each(self, texts: Sequence[str]) -> list[bool]:
        """The same of many texts at once, without the short ones."""
        if not self.own:
            return [False] * len(texts)
        shown = pl.Series([plain(unescaped(text)) for text in texts], dtype=pl.String)
        return shown.str.contains_any(list(self.own)).to_list()

    def in_records(self, texts: Sequence[str]) -> list[bool]:
        """As `in_record`, of many at once."""
        return [
            is_quoted or plain(text).rstrip(ENDS) in self.short or cites(text, self.document)
            for text, is_quoted in zip(texts, self.in_each(texts), strict=True)
        ]

    def in_record(self, text: str) -> bool:
        """True of what a log keeps of an answer or a question, as JSON or text: it cites the document, or quotes it."""
        return self.in_records([text])[0]


def words_of(document: str, gone: Sequence[Passage], stays: Iterable[Passage]) -> Words:
    """The words of a document. gone: its passages, of all versions that are known; stays: those of the others."""
    titles = dict.fromkeys(passage.title for passage in gone if passage.title)
    parts = [text for passage in gone for text in (*passage.headings, passage.context, *lines_of(passage.text)) if text]
    said = list(dict.fromkeys(filter(None, (plain(each) for each in parts))))
    names = [title for title in map(plain, titles) if title not in document]
    others = "\n".join(plain("\n".join([each.title, *each.headings, each.context, each.text])) for each in stays)
    bare = {each.rstrip(ENDS) for each in (*names, *said)} - {""}
    own = {each for each in bare if each not in others}
    short = {each for each in own if size_of(each) < LEAST}
    return Words(
        document, next(iter(titles), ""), tuple(dict.fromkeys([*titles, *said])), tuple(sorted(own - short)),
        tuple(sorted(short)), len(bare) - len(own)
    )  # fmt: skip


def lines_of(text: str) -> list[str]:
    """Its sentences; rows of a table and lines of a list each by themselves."""
    return [line[start:end] for line in text.splitlines() for start, end in sentences(line)]


def unescaped(text: str) -> str:
    """As a person reads it, where it is JSON (inside of JSON, too) or HTML; other texts stay as they are, but for such
    marks in them."""
    for _ in range(MOST_NESTED):
        if "\\" not in text:
            break
        text = ESCAPE.sub(_character, text)
        if SURROGATE.search(text):
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return html.unescape(text) if "&" in text else text


def _character(found: re.Match[str]) -> str:
    said = found[1]
    return chr(int(said[1:], 16)) if len(said) == 5 else SIGNS.get(said, said)
