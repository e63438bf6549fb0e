"""Markdown as blocks: what its page would show, read as any page is; a head of `name: value` lines tells of it."""

import re
from pathlib import Path

from windlass.sources.documents import access, validity
from windlass.sources.documents.characters import one_line
from windlass.sources.documents.contract import Limits, Parsed
from windlass.sources.documents.html import page
from windlass.sources.documents.plain import text_of

HEAD = re.compile(r"\A\s*---[ \t]*\n(?P<lines>(?:[^\n]*\n){0,100}?)(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
FIELD = re.compile(r"(?P<name>[\w -]{1,40}):[ \t]*(?P<value>.{1,300})")


def read_markdown(path: Path, limits: Limits) -> Parsed:
    """Raises: DataError: empty, no text, or nobody can tell who may see it. NotReady: selectolax is not installed."""
    from markdown_it import MarkdownIt

    parsed = Parsed()
    text = text_of(path, limits, parsed)
    fields: dict[str, object] = {}
    if head := HEAD.match(text):
        text = text[head.end() :]
        for line in head["lines"].splitlines():
            if found := FIELD.fullmatch(line.strip()):
                fields[found["name"].strip().lower()] = found["value"].strip().strip("\"'")
        parsed.access = access.of_head(head["lines"].splitlines())
    if parsed.access is None:
        access.refuse_unread(text, is_below=head is not None)
    shown = MarkdownIt("commonmark").enable("table").render(text)
    page.parse(shown, parsed, path.name, has_furniture=False)
    parsed.title = one_line(str(fields.get("title", "")))[:200]
    language = str(fields.get("lang") or fields.get("language") or "")[:2].lower()
    parsed.language = language if language.isalpha() and len(language) == 2 else ""
    parsed.valid_from, parsed.valid_until = validity.of_fields(fields)
    return parsed
