"""How the numbers of a column are written, told by an example of 1234.56: `1.234,56 €`, `$1,234.56`, `1234.56 %`."""

import re
from collections import Counter
from collections.abc import Sequence
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
EXAMPLE = re.compile(r"(?P<before>[^\d,.]*)(?P<shape>\d.*\d)(?P<after>\D*)")
UNIT = re.compile(
    r"[A-Za-z]{0,3}[$€£¥￥₹₽₩₺₴₫₪฿₦₱¢]|[%％‰]|元|円|원|kr\.?|zł|Kč|Ft|lei|Fr\.|"
    r"(?:USD|EUR|GBP|CNY|RMB|JPY|CHF|INR|CAD|AUD|NZD|HKD|SGD|KRW|BRL|MXN|SEK|NOK|DKK|PLN|CZK|HUF|TRY|ZAR|RUB)"
)
"""What stands beside a number and says in what it counts: signs and codes of currencies, percent."""
PARTS_OF_ONE = {"%": "e-2", "％": "e-2", "‰": "e-3"}
"""What 42 % and 5 ‰ are: .42 and .005, as spreadsheets hold them; a number without the sign stays what it is."""
MOST_UNIT = 12
SPACES, MINUS = "\u00a0\u202f\u2009", "−"
BETWEEN = re.compile(r"[^\d.,'()+\-]")


@dataclass(frozen=True)
class NumberFormat:
    """example: as the spec has it. thousands, point: what parts digits. unit: what may stand before or after, or ''."""

    example: str
    thousands: str
    point: str
    unit: str = ""

    def plain(self, word: str) -> str:
        """The number as Python writes it. Raises: ValueError: it is not written so."""
        word = with_plain_signs(word)
        is_negative = word.startswith("(") and word.endswith(")")
        word = word[1:-1] if is_negative else word
        bare, is_below = _without_sign(word)
        alone = self._without_unit(bare)
        part = PARTS_OF_ONE.get(self.unit, "") if alone != bare else ""
        alone, is_below = _without_sign(f"-{alone}" if is_below else alone)
        if not _digits(self.thousands, self.point).fullmatch(alone) or (part and "e" in alone.lower()):
            raise ValueError(word)
        digits = alone.replace(self.thousands, "") if self.thousands else alone
        return ("-" if is_negative or is_below else "") + digits.replace(self.point, ".") + part

    def write(self, number: float) -> str:
        """The number as it stands in such a column, its thousands not parted."""
        return f"{number:.15g}".replace(".", self.point)

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
    mark, parted = re.escape(point), re.escape(thousands)
    whole = rf"[1-9]\d{{0,2}}(?:{parted}\d{{3}})+|\d+" if thousands else r"\d+"
    return re.compile(rf"(?:(?:{whole})(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d{{1,3}})?", re.ASCII)


@lru_cache(maxsize=256)
def parse(example: str) -> NumberFormat:
    """The format that an example shows. Raises: SpecError: it is no example of 1234.56."""
    found = EXAMPLE.fullmatch(with_plain_signs(example))
    shape = found["shape"] if found else ""
    units = [unit.strip() for unit in (found["before"], found["after"])] if found else []
    if shape not in SHAPES or all(units) or max(map(len, units)) > MOST_UNIT:
        near = did_you_mean(shape or example, SHAPES)
        raise SpecError(
            f"format is '{example[:80]}', expected {expected(SHAPES)}, with a sign such as '$' or '%' before or after",
            near,
        )
    return NumberFormat(example, *SHAPES[shape], "".join(units))


def guess(words: Sequence[str]) -> str:
    """The example of how most of these are written; '' where plain numbers say it, or nothing does.

    `1,234` alone parts thousands: a comma before three digits each time, and never before others.
    """
    tidied = [with_plain_signs(word) for word in words]
    plain = NumberFormat("", "", ".")
    most = sum(_is_written(word, plain) for word in tidied)
    if most == len(tidied):
        return ""
    units = Counter(unit for word in tidied if (unit := _unit(word)) is not None)
    unit = units.most_common(1)[0][0] if units else ""
    before = bool(unit) and sum(word.lstrip("(-+ ").startswith(unit) for word in tidied) * 2 > units[unit]
    best = ""
    for shape, (thousands, point) in SHAPES.items():
        n_read = sum(_is_written(word, NumberFormat("", thousands, point, unit)) for word in tidied)
        if n_read > most:
            best, most = _example(shape, unit, before), n_read
    return best


def _example(shape: str, unit: str, before: bool) -> str:
    gap = " " if unit[-1:].isalnum() else ""
    return f"{unit}{gap}{shape}" if before else f"{shape} {unit}".rstrip()


def _unit(word: str) -> str | None:
    """The known unit beside a number; '' where the number stands alone, None where this is no number."""
    bare = word.strip("()+- ")
    found = UNIT.match(bare) or re.search(rf"(?:{UNIT.pattern})$", bare)
    rest = bare.replace(found.group(), "", 1).strip() if found else bare
    is_number = any(sign.isdigit() for sign in rest) and not BETWEEN.search(rest.replace(" ", ""))
    return None if not is_number else found.group() if found else None


def _is_written(word: str, how: NumberFormat) -> bool:
    try:
        how.plain(word)
    except ValueError:
        return False
    return True
