"""Characters that nobody sees are taken out and counted; the language of a text by its script and commonest words."""

import re
import unicodedata
from collections import Counter

INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]"
)
"""Zero-width marks, marks of direction, soft hyphens, tags, fillers and controls."""
JOINERS = "\u200c\u200d"
SPACES = re.compile(r"[^\S\n]+")
ANY_SPACE = re.compile(r"\s+")
CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
KANA = re.compile("[\u3041-\u30ff]")
HANGUL = re.compile("[\uac00-\ud7af]")
LETTER = re.compile(r"[^\W\d_]")
WORD = re.compile(r"[^\W\d_]+")
SAMPLE = 20_000
COMMON = {
    "en": "the of and to in is that for it with as are on be this by or not you your from at can",
    "de": "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es",
    "fr": "de la le et les des en un une du que est pour qui dans par sur pas plus au ne se",
    "es": "de la que el en y los del se las por un para con no una su al es lo como más",
    "it": "di che la il un per in una del della non sono con si da le dei come più al nel",
    "pt": "de que e do da em um para com não uma os no se na por mais as dos como ao",
}
COMMON_WORDS = {language: frozenset(words.split()) for language, words in COMMON.items()}
LEAST_SHARE = 0.08
"""Of the words of a text: less are its commonest ones in no language that is known."""


def visible(text: str, hidden: Counter[str]) -> str:
    """The text without characters that nobody sees, in composed form (NFC); what was taken out is counted."""
    kept, n_removed, before = [], 0, ""
    if INVISIBLE.search(text):
        for character in text:
            if INVISIBLE.match(character) and not (character in JOINERS and _joins(before)):
                n_removed += 1
                continue
            kept.append(character)
            before = character
        text = "".join(kept)
    if n_removed:
        hidden["zero-width"] += n_removed
    return unicodedata.normalize("NFC", text)


def _joins(before: str) -> bool:
    """True behind letters whose shape a joiner changes (Arabic, Indic scripts), and inside of composed emoji."""
    return bool(before) and ("\u0590" <= before < "\u2000" or before >= "\U0001f000" or before == "\ufe0f")


def one_line(text: str) -> str:
    """With each run of spaces and line ends as one space."""
    return ANY_SPACE.sub(" ", text).strip()


def language_of(text: str) -> str:
    """zh, ja, ko by script; en, de, fr, es, it, pt by their commonest words; '' where neither tells."""
    sample = text[:SAMPLE]
    n_letters = len(LETTER.findall(sample))
    if not n_letters:
        return ""
    n_kana, n_hangul, n_chinese = (len(script.findall(sample)) for script in (KANA, HANGUL, CHINESE))
    if n_kana + n_chinese + n_hangul > 0.25 * n_letters:
        if n_kana > 0.1 * (n_kana + n_chinese):
            return "ja"
        return "ko" if n_hangul > n_chinese else "zh"
    words = [word.lower() for word in WORD.findall(sample)]
    shares = {language: sum(word in common for word in words) / len(words) for language, common in COMMON_WORDS.items()}
    best = max(shares, key=lambda language: shares[language])
    return best if shares[best] >= LEAST_SHARE else ""
