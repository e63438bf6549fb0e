"""From when until when a document says that it holds: words beside a date, in English and Chinese."""

import re
from datetime import datetime

from windlass.kinds.formats import date_format

DATE = (
    r"(?P<{name}>\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{4}}\s*年\s*\d{{1,2}}\s*月\s*\d{{1,2}}\s*日"
    r"|\d{{1,2}}(?:st|nd|rd|th)?\s+[A-Z][a-z]{{2,8}}\.?,?\s+\d{{4}}"
    r"|[A-Z][a-z]{{2,8}}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}})"
)
FROM, UNTIL = DATE.format(name="begin"), DATE.format(name="end")
BEGINS = (
    r"(?i:\b(?:effective(?: date| from| as of| on)?|valid from|in force (?:from|since)|applies from)\b)"
    rf"\s*[:：]?\s*{FROM}",
    rf"(?:生效日期|生效时间|施行日期|实施日期|有效期自|有效期从|生效于)\s*[:：]?\s*(?:为|是|自|从)?\s*{FROM}",
    rf"自\s*{FROM}\s*起?(?:施行|生效|实施|执行|起)",
)
ENDS = (
    r"(?i:\b(?:valid (?:until|through|till|to)|expires?(?: on)?|expiry date|expiration date|in force until)\b)"
    rf"\s*[:：]?\s*{UNTIL}",
    rf"(?i:\bvalid from\b)[^.\n]{{0,60}}?(?i:\b(?:until|to|through|till)\b)\s*{UNTIL}",
    rf"(?:有效期至|有效期限至|失效日期|截止日期|到期日|废止日期)\s*[:：]?\s*(?:为|是)?\s*{UNTIL}",
    rf"有效期(?:自|从|为)?[^。\n]{{0,40}}?(?:至|到)\s*{UNTIL}",
)
PATTERNS = {"begin": [re.compile(each) for each in BEGINS], "end": [re.compile(each) for each in ENDS]}
NAMES = {
    "begin": frozenset({"valid_from", "effective", "effective_date", "effective_from", "生效日期", "施行日期"}),
    "end": frozenset(
        {"valid_until", "valid_to", "expires", "expiry", "expiry_date", "expiration_date", "有效期至", "失效日期"}
    ),
}
"""What fields of a file's head are called, in small letters with `_`."""
ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")
LOOKED_AT = 6_000
"""Characters at the beginning, and half as many at the end: what stands in the middle tells of something else."""


def day_of(words: object) -> str:
    """As 2026-03-31; '' where the words are no day that can be read in one way."""
    text = ORDINAL.sub("", " ".join(str(words).replace(",", ", ").split()))
    text = re.sub(r"\s*([年月日])\s*", r"\1", text).replace(" ,", ",")
    try:
        return date_format.known(text).date().isoformat()
    except (ValueError, OverflowError):
        return ""


def of_fields(fields: dict[str, object]) -> tuple[str, str]:
    """(from, until) as the fields in a file's head say it."""
    found = {"begin": "", "end": ""}
    for name, value in fields.items():
        key = name.strip().lower().replace("-", "_").replace(" ", "_").removeprefix("dcterms.")
        for which, names in NAMES.items():
            said = value.date().isoformat() if isinstance(value, datetime) else day_of(value)
            found[which] = said if key in names and said else found[which]
    return found["begin"], found["end"]


def of_text(text: str) -> tuple[str, str]:
    """(from, until) as sentences near the beginning or the end say it; '' where they do not, or contradict."""
    parts = [text] if len(text) <= 2 * LOOKED_AT else [text[:LOOKED_AT], text[-LOOKED_AT // 2 :]]
    begin, end = (
        {day for part in parts for pattern in PATTERNS[which] for each in pattern.finditer(part)
         if (day := day_of(each[which]))}
        for which in ("begin", "end")
    )  # fmt: skip
    return (next(iter(begin)) if len(begin) == 1 else ""), (next(iter(end)) if len(end) == 1 else "")
