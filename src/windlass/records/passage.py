"""A passage of a document: what is searched, and what an answer cites."""

from dataclasses import dataclass

from windlass.records.contract import Json


@dataclass(frozen=True)
class Passage:
    """A piece of a document: `text` is `[start:end]` of the document's text to the letter, whole sentences or rows.

    document: its path below the folder of documents. headings: those it stands below, outermost first. page: from 1;
    0 = there are none. context: the header of the table that its rows come from, in `text` or elsewhere;
    else ''. title: of the document. access: groups that may see it; None: everybody, none: nobody.
    """

    document: str
    headings: tuple[str, ...]
    page: int
    start: int
    end: int
    text: str
    context: str = ""
    title: str = ""
    access: tuple[str, ...] | None = None

    @property
    def searched(self) -> str:
        """All that a question may find it by."""
        context = "" if self.context in self.text else self.context
        return "\n".join(filter(None, [self.title, *self.headings, context, self.text]))

    def as_json(self) -> Json:
        return {**vars(self), "headings": list(self.headings)}

    @classmethod
    def from_json(cls, values: Json) -> "Passage":
        listed = values.get("access")
        access = None if listed is None else tuple(map(str, listed))
        return cls(**{**values, "headings": tuple(values.get("headings") or ()), "access": access})


@dataclass(frozen=True)
class IndexedDocument:
    """What an index says of a document that its passages come from. sha256: of the file; reader: the version that read
    it and cut it into passages."""

    path: str
    sha256: str
    reader: str
