"""A report on topics over documents as Markdown: the answer, who says what of it, and a numbered list of sources."""

import re
from collections.abc import Sequence
from typing import Any

from windlass.metrics.texts import CJK
from windlass.pages.text.bilingual import Words, say

SIGNS = re.compile(r"([\\`*_\[\]<>|~#&])")
"""What Markdown or HTML would take for its own: a document is quoted, and neither links, draws nor runs anything."""
LEADING = re.compile(r"^(\d+)([.)])|^([-+=])")
WORDS: Words = {
    "title": ("Report", "报告"),
    "answer": ("Answer", "回答"),
    "refused": ("No document answers this for certain.", "没有文档确切回答这个问题。"),
    "nobody": ("No document speaks of it.", "没有文档谈到它。"),
    "documents": ("What the documents say", "各文档怎么说"),
    "otherwise": ("Another passage says otherwise:", "另一处的说法不同："),
    "sources": ("Sources", "来源"),
    "page": ("page {page}", "第 {page} 页"),
    "by_hand": (
        "Every sentence stands in its source to the letter. What was chosen is Windlass's choice: read the source before you rely on it.",  # noqa: E501
        "每个句子都逐字出自其来源。选句由 Windlass 完成：引用之前请阅读原文。",
    ),
}


class Sources:
    """Numbers of places that are cited, from 1 in the order of their first citation."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, str, int], int] = {}

    def mark(self, citations: Sequence[dict[str, Any]]) -> str:
        places = [
            (str(each["document"]), str(each.get("title") or ""), int(each.get("page") or 0)) for each in citations
        ]
        found = [self.numbers.setdefault(place, len(self.numbers) + 1) for place in dict.fromkeys(places)]
        return "".join(f"[{number}]" for number in found)

    def listed(self, language: str) -> list[str]:
        return [
            f"[{number}] " + ", ".join(filter(None, [
                verbatim(title), verbatim(document), say(WORDS, language, "page", page=page) if page else "",
            ]))
            for (document, title, page), number in self.numbers.items()
        ]  # fmt: skip


def markdown(sections: Sequence[dict[str, Any]]) -> str:
    """The report, in Chinese where the first topic is. sections: `topic`, `answer`, `documents` of each."""
    language = "zh" if sections and CJK.search(str(sections[0]["topic"])) else "en"
    sources = Sources()
    lines = [f"# {say(WORDS, language, 'title')}", "", say(WORDS, language, "by_hand")]
    for each in sections:
        lines += ["", f"## {verbatim(each['topic'])}", ""]
        lines += [*_answer(each["answer"], sources, language), ""]
        if not each["documents"]:
            lines.append(say(WORDS, language, "nobody"))
            continue
        lines += [f"### {say(WORDS, language, 'documents')}", ""]
        for document in each["documents"]:
            lines.append(f"- **{verbatim(document['title'] or document['document'])}**")
            lines += [f"  - {_sentence(said, sources)}" for said in document["sentences"]]
    if sources.numbers:
        lines += ["", f"## {say(WORDS, language, 'sources')}", "", "\n\n".join(sources.listed(language))]
    return "\n".join(lines) + "\n"


def _answer(value: dict[str, Any], sources: Sources, language: str) -> list[str]:
    if value["refused"]:
        return [say(WORDS, language, "refused")]
    told = " ".join(_sentence(each, sources) for each in value["sentences"])
    others = [
        f"{say(WORDS, language, 'otherwise')} {verbatim(each['quote'])} {sources.mark([each])}"
        for each in value.get("conflicts", ())
    ]
    return [f"**{say(WORDS, language, 'answer')}** {told}", *[line for other in others for line in ("", other)]]


def _sentence(said: dict[str, Any], sources: Sources) -> str:
    return f"{verbatim(said['text'])} {sources.mark(said['citations'])}"


def verbatim(text: object) -> str:
    """Text as Markdown shows it, sign for sign, on one line."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in str(text)).split())
    return LEADING.sub(r"\1\\\2\3", SIGNS.sub(r"\\\1", line))
