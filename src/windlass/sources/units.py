"""What a column of numbers counts, as its form or its name says: `1.234,56 €`, `price_eur`, `价格(元)`."""

import re

from windlass.kinds.formats import number_format

CURRENCIES = {"€": "EUR", "£": "GBP", "₹": "INR", "₽": "RUB", "₩": "KRW", "元": "CNY", "人民币": "CNY", "円": "JPY"}
"""Signs that are one currency alone; `$` and `¥` are several, and stay as they are."""
CODES = frozenset(
    [
        "usd",
        "eur",
        "gbp",
        "cny",
        "rmb",
        "jpy",
        "chf",
        "inr",
        "cad",
        "aud",
        "nzd",
        "hkd",
        "sgd",
        "krw",
        "brl",
        "mxn",
        "sek",
        "nok",
        "dkk",
        "pln",
        "czk",
        "huf",
        "try",
        "zar",
        "rub",
    ]
)
MEASURES = {
    each.lower(): each
    for each in [
        "kg",
        "km",
        "cm",
        "mm",
        "ml",
        "kB",
        "MB",
        "GB",
        "TB",
        "ms",
        "kW",
        "MW",
        "kWh",
        "MWh",
        "Wh",
        "Hz",
        "kHz",
        "MHz",
        "hPa",
        "kPa",
        "ppm",
        "km/h",
        "m/s",
        "m2",
        "m3",
        "m²",
        "m³",
        "°C",
        "°F",
        "days",
        "hours",
        "minutes",
        "seconds",
        "weeks",
        "months",
        "years",
    ]
}
"""By their names in small letters; those that could be a word or a letter of something else stand in brackets alone."""
BRACKETED = {
    each.lower(): each
    for each in [
        "g",
        "t",
        "l",
        "m",
        "s",
        "h",
        "d",
        "min",
        "sqm",
        "sqft",
        "EUR/m²",
        "%",
        "℃",
        "㎡",
        "公斤",
        "千克",
        "吨",
        "米",
        "厘米",
        "公里",
        "平方米",
        "件",
        "天",
        "小时",
        "分钟",
        "年",
    ]
}
IN_BRACKETS = re.compile(r"[(（\[【]\s*([^()（）\[\]【】]{1,12})\s*[)）\]】]\s*$")
LAST_WORD = re.compile(r"[ _.-]([^\W_]+)$")


def unit_of(name: str, example: str) -> tuple[str, str]:
    """The unit of a column, and what says so; both '' where nothing does.

    Args: name: of the column. example: how its values are written, '' = as programs write numbers.
    """
    sign = number_format.parse(example).unit if example else ""
    if sign and sign not in number_format.PARTS_OF_ONE:
        return CURRENCIES.get(sign, sign), f"values are written with '{sign}'"
    if found := IN_BRACKETS.search(name):
        unit = _known(found[1].strip(), is_bracketed=True)
    elif found := LAST_WORD.search(name):
        unit = _known(found[1], is_bracketed=False)
    else:
        return "", ""
    return (unit, f"the name says '{found[1].strip()}'") if unit else ("", "")


def _known(word: str, is_bracketed: bool) -> str:
    """The unit that a word of a name is; '' = none."""
    small = word.lower()
    if small in CODES:
        return word.upper()
    if small in MEASURES:
        return MEASURES[small]
    return (CURRENCIES.get(word) or BRACKETED.get(small) or (word if word in "$¥" else "")) if is_bracketed else ""
