"""How the numbers of a column are written, told by an example of 1234.56: `1.234,56 €`, `$1,234.56`, `1234.56 %`."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from windlass.errors import SpecError, did_you_mean, expected

SHAPES = {
    "1234.56": ("", "."),
    "1,234.56": (",", "."),
    "1234,56": ("", ","),
    "1.234,56": (".", ","),
    "1 234,56": (" ", ","),
    "1 234.56": (" ", "."),
    "1'234.56": ("'", "."),
}
"""An example -> what parts its thousands, and its decimal mark; the commonest first."""
WHOLE = {"1,234": (",", "."), "1.234": (".", ","), "1 234": (" ", "."), "1'234": ("'", ".")}
"""The same of whole numbers: where the decimal mark could as well part thousands (`1.432`) the number is refused."""
GAPS = " '"
"""What can only part thousands, in whatever form: `1 253`, `1'253`."""
ODD = 0.03
"""A smaller share of values with a mark is odd, and does not tell what the mark means."""
EXAMPLE = re.compile(r"(?P<before>[^\d,.]*)(?P<shape>\d.*\d)(?P<after>\D*)")
UNIT = re.compile(
    r"[A-Za-z]{0,3}[$€£¥￥₹₽₩₺₴₫₪฿₦₱¢]|[%％‰]|元|円|원|kr\.?|zł|Kč|Ft|lei|Fr\.|"
    r"(?:USD|EUR|GBP|CNY|RMB|JPY|CHF|INR|CAD|AUD|NZD|HKD|SGD|KRW|BRL|MXN|SEK|NOK|DKK|PLN|CZK|HUF|TRY|ZAR|RUB)"
)
"""What stands beside a number and says in what it counts: signs and codes of currencies, percent."""
MEASURE = re.compile(
    r"[kmµ]?g|[kcmµ]?m|[cm]?l|[mµ]?s|min|[kMGT]?B|[kM]?Wh?|[kMG]?Hz|[hk]?Pa|m?bar|ppm|rpm|km/h|mph|[km]?m/s|m[²³]|"
    r"°[CF]|[mk]?[VAN]|[th]|(?:day|hour|minute|second|week|month|year)s"
)
"""What else may stand behind a number and says what it measures; a single letter with a space between."""
AFTER = re.compile(rf"(?:{UNIT.pattern}|(?<![^\W_])(?:{MEASURE.pattern})|(?<=\d)(?=..)(?:{MEASURE.pattern}))$")
PARTS_OF_ONE = {"%": "e-2", "％": "e-2", "‰": "e-3"}
"""What 42 % and 5 ‰ are: .42 and .005, as spreadsheets hold them; a number without the sign stays what it is."""
MOST_UNIT = 12
PLAIN = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
SPACES, MINUS = "\u00a0\u202f\u2009", "−"
A_DIGIT = re.compile("[0-9]")
BETWEEN = re.compile(r"[^\d.,'()+\-]")


@dataclass(frozen=True)
class NumberFormat:
    """example: as the spec has it. thousands, point: what parts digits. unit: what may stand before or after, or ''.
    is_whole: its decimal mark before three digits is refused."""

    example: str
    thousands: str
    point: str
    unit: str = ""
    is_whole: bool = False

    def plain(self, word: str) -> str:
        """The number as Python writes it. Raises: ValueError: it is not written so."""
        alone, is_below, has_unit = self.bare(word)
        part = PARTS_OF_ONE.get(self.unit, "") if has_unit else ""
        if not _digits(self.thousands, self.point).fullmatch(alone) or (part and "e" in alone.lower()):
            raise ValueError(word)
        if self.is_whole and _could_part(self.point).fullmatch(alone):
            raise ValueError(word)
        for mark in (self.thousands, *GAPS):
            alone = alone.replace(mark, "") if mark else alone
        return ("-" if is_below else "") + alone.replace(self.point, ".") + part

    def bare(self, word: str) -> tuple[str, bool, bool]:
        """The word without sign and unit; whether it is below zero; whether it had the unit."""
        word = with_plain_signs(word)
        is_negative = word.startswith("(") and word.endswith(")")
        bare, is_below = _without_sign(word[1:-1] if is_negative else word)
        alone = self._without_unit(bare)
        has_unit = alone != bare
        alone, is_below = _without_sign(f"-{alone}" if is_below else alone)
        return alone, is_negative or is_below, has_unit

    def write(self, number: float) -> str:
        """The number as it stands in such a column, its thousands not parted."""
        word = f"{number:.15g}".replace(".", self.point)
        is_refused = self.is_whole and _could_part(self.point).fullmatch(word.removeprefix("-"))
        return f"{word}0" if is_refused else word

    def _without_unit(self, word: str) -> str:
        if self.unit and word.endswith(self.unit):
            return word[: -len(self.unit)].rstrip()
        return word[len(self.unit) :].lstrip() if self.unit and word.startswith(self.unit) else word


def with_plain_signs(word: str) -> str:
    """The word with plain spaces, minus and apostrophe."""
    for space in SPACES:
        word = word.replace(space, " ")
    return word.replace(MINUS, "-").replace("’", "'").strip()


def _without_sign(word: str) -> tuple[str, bool]:
    return (word[1:].lstrip(), word[0] == "-") if word[:1] in ("-", "+") else (word, False)


@lru_cache(maxsize=32)
def _digits(thousands: str, point: str) -> re.Pattern[str]:
    parts = dict.fromkeys((thousands, *GAPS) if thousands else GAPS)
    whole = "|".join(rf"[1-9]\d{{0,2}}(?:{re.escape(part)}\d{{3}})+" for part in parts) + r"|\d+"
    mark = re.escape(point)
    return re.compile(rf"(?:(?:{whole})(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d{{1,3}})?", re.ASCII)


@lru_cache(maxsize=8)
def _could_part(mark: str) -> re.Pattern[str]:
    """`1,589`: a mark once, before three digits; it may part thousands, or be the decimal mark."""
    return re.compile(rf"[1-9]\d{{0,2}}{re.escape(mark)}\d{{3}}", re.ASCII)


@lru_cache(maxsize=256)
def parse(example: str) -> NumberFormat:
    """The format that an example shows. Raises: SpecError: it is no example of 1234.56."""
    found = EXAMPLE.fullmatch(with_plain_signs(example))
    units = [unit.strip() for unit in (found["before"], found["after"])] if found else []
    shape = _shape_of(found["shape"], any(units)) if found else ""
    if not shape or all(units) or max(map(len, units)) > MOST_UNIT:
        raise SpecError(
            f"format is '{example[:80]}', expected {expected(SHAPES)}, with a sign such as '$' or a unit such as 'kg' "
            "before or after",
            f"write 1234.56 so, with all its marks: '{_example('1234.56', ''.join(units), bool(units[0]))}'"
            if any(units) and not all(units)
            else did_you_mean(found["shape"] if found else example, [*SHAPES, *WHOLE]),
        )
    return NumberFormat(example, *(SHAPES | WHOLE)[shape], "".join(units), shape in WHOLE)


def _shape_of(digits: str, has_unit: bool) -> str:
    """The shape of an example; of one with a unit also where it is another number, such as `15.6 kg` or `12,345.0 m`.
    '' where it does not show its marks."""
    if digits in SHAPES | WHOLE or not has_unit:
        return digits if digits in SHAPES | WHOLE else ""
    for shape, (thousands, point) in SHAPES.items():
        part, mark = re.escape(thousands), re.escape(point)
        whole = (
            rf"\d{{1,3}}(?:{part}\d{{3}})+{mark}\d+" if part else rf"\d+{mark}(?:\d{{1,2}}|\d{{4,}})|\d{{4,}}{mark}\d+"
        )
        if re.fullmatch(whole, digits, re.ASCII):
            return shape
    return ""


def guess(words: Sequence[str]) -> str:
    """The example of how most of these are written; '' where plain numbers say it, or nothing does.

    A mark before three digits each time (`1,589`) parts thousands, unless other words show that it is the decimal mark;
    a few odd words do not. Where words stay that mean another number in another form, and no word tells, the example is
    of whole numbers, which refuses them.
    """
    return _guess(tuple(words))


@lru_cache(maxsize=16)
def _guess(words: tuple[str, ...]) -> str:
    """As `guess`: of one column, several questions are asked that need it."""
    tidied = [with_plain_signs(word) for word in words]
    if not any(map(A_DIGIT.search, tidied)):
        return ""  # words of a language: no format reads them
    unit, before = _usual_unit(tidied)
    known = {mark: _is_decimal_mark(mark, tidied, unit) for mark in ",."}
    plain = sum(_is_plain(word, known["."]) for word in tidied)
    if plain == len(tidied):
        return ""
    best, most = "", (plain, plain)
    for shape, (thousands, point) in SHAPES.items():
        how = NumberFormat("", thousands, point, unit, is_whole=not known[point])
        read = [word for word in tidied if A_DIGIT.search(word) and _is_written(word, how)]
        as_shown = sum(not any(gap in how.bare(word)[0] for gap in GAPS if gap != thousands) for word in read)
        if len(read) > plain and (len(read), as_shown) > most:
            best, most = shape, (len(read), as_shown)
    return _example(_whole(best, tidied, unit, known), unit, before) if best else ""


def _whole(shape: str, words: Sequence[str], unit: str, known: Mapping[str, bool]) -> str:
    """The shape, or that of whole numbers where nothing shows its decimal mark and something speaks against it."""
    thousands, point = SHAPES[shape]
    how = NumberFormat("", thousands, point, unit)
    speaks = thousands in GAPS or any(_could_part(point).fullmatch(how.bare(word)[0]) for word in words)
    whole = next((name for name, (mark, _) in WHOLE.items() if mark == thousands), shape)
    return whole if thousands and speaks and not known[point] else shape


def _is_decimal_mark(mark: str, words: Sequence[str], unit: str) -> bool:
    """The words show it: enough of those with this mark can mean nothing else, and fewer that it parts thousands."""
    other = "." if mark == "," else ","
    digits = [NumberFormat("", "", mark, unit).bare(word)[0] for word in words]
    either = sum(_could_part(mark).fullmatch(word) is not None for word in digits)
    parting = re.compile(rf"[1-9]\d{{0,2}}(?:\{mark}\d{{3}})+(?:\{other}\d*)?", re.ASCII)
    parted = sum(parting.fullmatch(word) is not None for word in digits) - either
    shown = sum(
        mark in word and not _could_part(mark).fullmatch(word) and _digits(other, mark).fullmatch(word) is not None
        for word in digits
    )
    if mark == "." and not shown and not parted and (not unit or unit in PARTS_OF_ONE or MEASURE.fullmatch(unit)):
        # programs write a fixed number of digits behind the point, but then on nearly every number
        without = sum(mark not in word and re.search("[1-9]", word) is not None for word in digits)
        return without < ODD * len(digits)
    return shown > parted and shown >= ODD * (shown + either + parted)


def _usual_unit(words: Sequence[str]) -> tuple[str, bool]:
    """The commonest unit, '' = none, and whether it stands before the number. A sign that changes the number (`%`)
    counts where most have it."""
    units = Counter(unit for word in words if (unit := _unit(word)) is not None)
    unit = units.most_common(1)[0][0] if units else ""
    if unit in PARTS_OF_ONE and 2 * units[unit] < len(words):
        return "", False
    return unit, bool(unit) and sum(word.lstrip("(-+ ").startswith(unit) for word in words) * 2 > units[unit]


def _is_plain(word: str, has_point: bool) -> bool:
    """As a program writes it. has_point: its point before three digits is the decimal mark."""
    alone = NumberFormat("", "", ".").bare(word)[0]
    return PLAIN.fullmatch(alone) is not None and (has_point or not _could_part(".").fullmatch(alone))


def _example(shape: str, unit: str, before: bool) -> str:
    gap = " " if unit[-1:].isalnum() else ""
    return f"{unit}{gap}{shape}" if before else f"{shape} {unit}".rstrip()


def _unit(word: str) -> str | None:
    """The known unit beside a number; '' where the number stands alone, None where this is no number."""
    bare = word.strip("()+- ")
    found = UNIT.match(bare) or AFTER.search(bare)
    rest = bare.replace(found.group(), "", 1).strip() if found else bare
    is_number = any(sign.isdigit() for sign in rest) and not BETWEEN.search(rest.replace(" ", ""))
    return None if not is_number else found.group() if found else None


def _is_written(word: str, how: NumberFormat) -> bool:
    try:
        how.plain(word)
    except ValueError:
        return False
    return True
