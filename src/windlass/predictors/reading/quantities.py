"""Numbers, dates and measures of a text in one form: 1,000 = 1000 = 一千, 4.5 percent = 4.5% = 百分之四点五, half an hour = 三十分钟."""  # noqa: E501

import math
import re
import unicodedata
from dataclasses import dataclass

SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
]
SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
FRACTIONS = {"half": 0.5, "third": 1 / 3, "quarter": 0.25, "fifth": 0.2}
MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
DIGITS = {
    sign: number
    for number, signs in enumerate(["〇零", "一", "二两", "三", "四", "五", "六", "七", "八", "九"])
    for sign in signs
}
STEPS = {"十": 10, "百": 100, "千": 1000}
GREAT = {"万": 10**4, "亿": 10**8}
UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("second", "seconds", "秒", "秒钟"), ("time", 1.0)),
    **dict.fromkeys(("minute", "minutes", "min", "分钟"), ("time", 60.0)),
    **dict.fromkeys(("hour", "hours", "小时", "个小时", "钟头"), ("time", 3600.0)),
    **dict.fromkeys(
        ("day", "days", "天", "日内", "working days", "working day", "个工作日", "工作日"), ("time", 86400.0)
    ),
    **dict.fromkeys(("week", "weeks", "周", "星期", "个星期"), ("time", 7 * 86400.0)),
    **dict.fromkeys(("month", "months", "个月"), ("months", 1.0)),
    **dict.fromkeys(("year", "years", "年间", "年来"), ("months", 12.0)),
    **dict.fromkeys(("%", "percent", "per cent", "percentage points"), ("share", 0.01)),
    **dict.fromkeys(("g", "gram", "grams", "克"), ("mass", 1.0)),
    **dict.fromkeys(("kg", "kilogram", "kilograms", "kilos", "公斤", "千克"), ("mass", 1e3)),
    **dict.fromkeys(("tonne", "tonnes", "tons", "吨"), ("mass", 1e6)),
    **dict.fromkeys(("cm", "centimetres", "centimeters", "厘米"), ("length", 0.01)),
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters", "米"), ("length", 1.0)),
    **dict.fromkeys(("km", "kilometre", "kilometres", "kilometer", "kilometers", "公里", "千米"), ("length", 1e3)),
    **dict.fromkeys(("mile", "miles", "英里"), ("length", 1609.344)),
    **dict.fromkeys(("nautical miles", "海里"), ("length", 1852.0)),
    **dict.fromkeys(("litre", "litres", "liter", "liters", "升"), ("volume", 1.0)),
    **dict.fromkeys(("cent", "cents"), ("money", 0.01)),
    **dict.fromkeys(
        ("dollar", "dollars", "euro", "euros", "pound", "pounds", "crowns", "元", "美元", "欧元", "块"), ("money", 1.0)
    ),
    **dict.fromkeys(("角",), ("money", 0.1)),
}
_UNIT = "|".join(sorted(map(re.escape, UNITS), key=len, reverse=True))
_WORD = "|".join((*SMALL[1:], *TENS, *SCALES))
_CHINESE = "[〇零一二三四五六七八九十百千万亿两]"
NUMBER = re.compile(
    rf"(?P<share>百分之(?P<per>{_CHINESE}+(?:点{_CHINESE}+)?|\d+(?:\.\d+)?))"
    rf"|(?P<parts>(?P<low>{_CHINESE}+|\d+)分之(?P<high>{_CHINESE}+|\d+))"
    r"|(?P<piece>\b(?:an?|one|two|three)[\s-]+(?:thirds?|quarters?|half|halves|fifths?)\b)"
    rf"|(?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)(?P<times>[万亿]|\s(?:hundred|thousand|million|billion)\b)?"
    r"|(?P<article>\ban?(?=\s+(?:week|day|hour|month|year|minute|dozen)\b))"
    rf"|(?P<words>\b(?:{_WORD})(?:[\s-]+(?:and\s+)?(?:{_WORD}))*\b)"
    rf"|(?P<ordinal>\b(?:{'|'.join(ORDINALS[1:])}|twice)\b)"
    rf"|(?P<fraction>\b(?:half|quarter)\b|半(?=[个小年天月升公里]))"
    rf"|(?P<month>\b(?:{'|'.join(MONTHS[:4])}|{'|'.join(MONTHS[5:])}|May(?=\s+\d)|(?<=\d )May)\b)"
    rf"|(?P<chinese>{_CHINESE}+(?:点{_CHINESE}+)?)",
    re.IGNORECASE,
)
AFTER = re.compile(rf"\s*(?:-\s*)?(?:an?\s+|of\s+an?\s+)?(?P<unit>{_UNIT})(?![a-z])", re.IGNORECASE)
IDIOMS = re.compile(r"一[些样直般定起切同旦边面半致律名次个种位部座所家项条]|第一|唯一|统一|之一|万一|十分|千万")


@dataclass(frozen=True)
class Quantity:
    """A number as it stands in a text. value: in the unit's ground form (seconds, grams, metres ...). unit: "" for none.

    place: (start, end) in the text that was read. is_implied: `a week`, which may be said of one or of any.
    """  # noqa: E501

    value: float
    unit: str
    place: tuple[int, int]
    is_implied: bool = False

    def agrees(self, other: "Quantity") -> bool:
        """The same number of the same kind; a number without unit agrees with any unit's own number."""
        is_near = math.isclose(self.value, other.value, rel_tol=1e-6)
        return is_near and (self.unit == other.unit or not self.unit or not other.unit)


def quantities(text: str) -> list[Quantity]:
    """The numbers of a text in order; `one` and 一 without a unit are articles rather than numbers, and left out."""
    plain = plain_text(text)
    found: list[Quantity] = []
    idioms = [match.span() for match in IDIOMS.finditer(plain)]
    for match in NUMBER.finditer(plain):
        start, end = match.span()
        unit = AFTER.match(plain, end)
        if any(first <= start and end <= last for first, last in idioms) and not unit:
            continue
        found += _read(match, unit)
    return found


def plain_text(text: str) -> str:
    """Full-width digits and letters as usual ones, character for character."""
    return "".join(
        narrow if len(narrow := unicodedata.normalize("NFKC", sign)) == 1 and sign.isalnum() else sign for sign in text
    ).replace("％", "%")


def _read(match: re.Match[str], unit: re.Match[str] | None) -> list[Quantity]:
    start, end = match.span()
    kind = match.lastgroup if match.lastgroup in ("ordinal", "fraction", "month", "words", "chinese") else ""
    if match["share"]:
        return [Quantity(_chinese(match["per"]) / 100, "share", (start, end))]
    if match["parts"]:
        low = _chinese(match["low"])
        return [Quantity(_chinese(match["high"]) / low if low else 0.0, "", (start, end))]
    if kind == "month":
        return [Quantity(MONTHS.index(match.group().lower()) + 1.0, "month", (start, end))]
    if kind == "ordinal":
        word = match.group().lower()
        return [Quantity(2.0 if word == "twice" else ORDINALS.index(word) + 1.0, "", (start, end))]
    value = _value(match)
    if value == 1 and kind in ("words", "chinese") and not unit:
        return []
    if match.string[end : end + 1] == "月":
        return [Quantity(value, "month", (start, end))]
    if not unit:
        return [Quantity(value, "", (start, end))]
    name, factor = UNITS[unit["unit"].lower()]
    return [Quantity(value * factor, name, (start, unit.end()), bool(match["article"]))]


def _value(match: re.Match[str]) -> float:
    if match["digits"]:
        value = float(match["digits"].replace(",", ""))
        times = (match["times"] or "").strip().lower()
        return value * {**GREAT, **SCALES}.get(times, 1)
    if match["words"]:
        return _english(match["words"].lower())
    if match["piece"]:
        count, part = re.split(r"[\s-]+", match["piece"].lower())
        return max(1.0, _english(count)) * FRACTIONS[part.replace("halves", "half").removesuffix("s")]
    if match["article"]:
        return 1.0
    if match["fraction"]:
        return FRACTIONS.get(match["fraction"].lower(), 0.5)
    return _chinese(match["chinese"])


def _english(text: str) -> float:
    """`forty thousand` -> 40000."""
    total, part = 0.0, 0.0
    for word in re.findall(r"[a-z]+", text):
        if word in SMALL:
            part += SMALL.index(word)
        elif word in TENS:
            part += 20 + 10 * TENS.index(word)
        elif word in ("hundred", "dozen"):
            part = max(part, 1) * SCALES[word]
        elif word in SCALES:
            total, part = total + max(part, 1) * SCALES[word], 0.0
    return total + part


def _chinese(text: str) -> float:
    """二十万 -> 200000; 一九一一 -> 1911; 四点五 -> 4.5; ASCII digits as they are."""
    whole, _, rest = text.partition("点")
    whole = whole[:1] + whole[1:].rstrip("两")  # 四万两: there it is a weight
    if whole.replace(".", "").isascii():
        return float(whole)
    fraction = float("0." + "".join(str(DIGITS.get(sign, 0)) for sign in rest)) if rest else 0.0
    if len(whole) > 1 and all(sign in DIGITS for sign in whole):
        return float("".join(str(DIGITS[sign]) for sign in whole)) + fraction
    total, part, digit = 0, 0, 0
    for sign in whole:
        if sign in DIGITS:
            digit = DIGITS[sign]
        elif sign in STEPS:
            part, digit = part + (digit or 1) * STEPS[sign], 0
        else:
            total, part, digit = (total + part + digit or 1) * GREAT[sign], 0, 0
    return total + part + digit + fraction
