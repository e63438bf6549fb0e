"""The words of the tutor blueprint's course in both languages: twelve skills of arithmetic, eight exercises each.

Source: written for this project, Apache-2.0.
"""

from collections.abc import Callable
from fractions import Fraction
from math import gcd

SKILLS = {
    "addition": ("Addition", "加法"),
    "subtraction": ("Subtraction", "减法"),
    "multiplication": ("Multiplication", "乘法"),
    "division": ("Division", "除法"),
    "order": ("Order of operations", "运算顺序"),
    "negative": ("Negative numbers", "负数"),
    "simplify": ("Simplifying fractions", "约分"),
    "add-fractions": ("Adding fractions", "分数加法"),
    "multiply-fractions": ("Multiplying fractions", "分数乘法"),
    "decimals": ("Decimals", "小数"),
    "percent": ("Percentages", "百分数"),
    "equations": ("Linear equations", "一元一次方程"),
}
NEEDS = {
    "addition": (),
    "subtraction": ("addition",),
    "multiplication": ("addition",),
    "division": ("multiplication", "subtraction"),
    "order": ("multiplication", "subtraction"),
    "negative": ("subtraction",),
    "simplify": ("division",),
    "add-fractions": ("simplify",),
    "multiply-fractions": ("simplify", "multiplication"),
    "decimals": ("division",),
    "percent": ("decimals", "simplify"),
    "equations": ("negative", "division", "order"),
}
HINTS = {
    "addition": ("Add the ones first, then the tens.", "先加个位，再加十位。"),
    "subtraction": ("When the ones are too few, borrow a ten.", "个位不够减时，从十位借一。"),
    "multiplication": ("Split one number into tens and ones.", "把其中一个数拆成几十和几。"),
    "division": ("Ask which number times the divisor gives the dividend.", "想一想：除数乘以几等于被除数。"),
    "order": ("Brackets first, then times and divided by, then plus and minus.", "先算括号，再算乘除，最后算加减。"),
    "negative": ("Walk along the number line: minus goes to the left.", "沿数轴走：减就是向左。"),
    "simplify": ("Look for a number that divides above and below.", "找一个能同时整除分子和分母的数。"),
    "add-fractions": ("Write both with the same denominator first.", "先通分，使分母相同。"),
    "multiply-fractions": ("Above times above, below times below, then simplify.", "分子乘分子，分母乘分母，再约分。"),
    "decimals": ("Put the points below each other.", "把小数点对齐。"),
    "percent": ("One percent is a hundredth.", "百分之一就是一百分之一。"),
    "equations": ("Do the same on both sides until x stands alone.", "两边做同样的运算，直到只剩 x。"),
}
WORKED = {
    "addition": (
        "27 + 15: 7 + 5 = 12, write 2 and carry 1; 2 + 1 + 1 = 4. It is 42.",
        "27 + 15：7 + 5 = 12，写 2 进 1；2 + 1 + 1 = 4。得 42。",
    ),
    "subtraction": (
        "42 - 15: 12 - 5 = 7 after borrowing; 3 - 1 = 2. It is 27.",
        "42 - 15：借一后 12 - 5 = 7；3 - 1 = 2。得 27。",
    ),
    "multiplication": ("6 × 14 = 6 × 10 + 6 × 4 = 60 + 24 = 84.", "6 × 14 = 6 × 10 + 6 × 4 = 60 + 24 = 84。"),
    "division": ("84 ÷ 6: 6 × 14 = 84, so it is 14.", "84 ÷ 6：6 × 14 = 84，所以得 14。"),
    "order": ("2 + 3 × 4: first 3 × 4 = 12, then 2 + 12 = 14.", "2 + 3 × 4：先算 3 × 4 = 12，再算 2 + 12 = 14。"),
    "negative": ("3 - 8: three steps to 0 and five more to the left: -5.", "3 - 8：向左走 3 步到 0，再走 5 步：-5。"),
    "simplify": ("12/18: both are divided by 6, so it is 2/3.", "12/18：分子分母同除以 6，得 2/3。"),
    "add-fractions": ("1/2 + 1/3 = 3/6 + 2/6 = 5/6.", "1/2 + 1/3 = 3/6 + 2/6 = 5/6。"),
    "multiply-fractions": ("2/3 × 3/4 = 6/12 = 1/2.", "2/3 × 3/4 = 6/12 = 1/2。"),
    "decimals": ("1.5 + 0.75 = 1.50 + 0.75 = 2.25.", "1.5 + 0.75 = 1.50 + 0.75 = 2.25。"),
    "percent": ("20 % of 50: 50 ÷ 100 × 20 = 10.", "50 的 20 %：50 ÷ 100 × 20 = 10。"),
    "equations": ("2x + 3 = 11: 2x = 8, so x = 4.", "2x + 3 = 11：2x = 8，所以 x = 4。"),
}
Exercise = tuple[str, str, str]
"""English, Chinese, answer."""


def _what(expression: str, answer: object) -> Exercise:
    return f"What is {expression}?", f"{expression} 等于多少？", str(answer)


def _addition(level: int) -> Exercise:
    a, b = 4 + 13 * level**2, 5 + 9 * level
    if level % 2:
        return (
            f"Lin has {a} stickers and gets {b} more. How many has she now?",
            f"小林有 {a} 张贴纸，又得到 {b} 张。她现在有多少张？",
            str(a + b),
        )
    return _what(f"{a} + {b}", a + b)


def _subtraction(level: int) -> Exercise:
    a, b = 11 + 17 * level**2, 3 + 8 * level
    if level % 2:
        return (
            f"There are {a} books, and {b} are lent. How many are left?",
            f"有 {a} 本书，借出 {b} 本。还剩多少本？",
            str(a - b),
        )
    return _what(f"{a} - {b}", a - b)


def _multiplication(level: int) -> Exercise:
    a, b = 2 + level, 3 + 2 * level
    if level % 2:
        return f"A box holds {b} eggs. How many do {a} boxes hold?", f"一盒有 {b} 个鸡蛋，{a} 盒有多少个？", str(a * b)
    return _what(f"{a} × {b}", a * b)


def _division(level: int) -> Exercise:
    a, b = 2 + level, 4 + 2 * level
    if level % 2:
        return (
            f"{a * b} sweets are shared by {a} children. How many has each?",
            f"{a * b} 块糖平均分给 {a} 个孩子，每人几块？",
            str(b),
        )
    return _what(f"{a * b} ÷ {a}", b)


def _order(level: int) -> Exercise:
    a, b, c = 2 + level, 3 + level, 2 + level // 2
    return (
        _what(f"{a} + {b} × {c}", a + b * c) if level % 2 == 0 else _what(f"({a} + {b}) × {c} - {a}", (a + b) * c - a)
    )


def _negative(level: int) -> Exercise:
    a, b = 2 + level, 5 + 3 * level
    if level % 2:
        return (
            f"It is {a} °C and gets {b} degrees colder. How cold is it then?",
            f"气温 {a} °C，下降 {b} 度后是多少度？",
            str(a - b),
        )
    return _what(f"{a} - {b}", a - b)


def _simplify(level: int) -> Exercise:
    factor, above = 2 + level, 1 + level
    below = above + 1 + level % 3
    return (
        f"Simplify {above * factor}/{below * factor}.",
        f"化简 {above * factor}/{below * factor}。",
        f"{above // gcd(above, below)}/{below // gcd(above, below)}",
    )


def _add_fractions(level: int) -> Exercise:
    a, b = Fraction(1, 2 + level), Fraction(2, 4 + level) if level % 2 else Fraction(1, 3 + level)
    return _what(f"{a} + {b}", a + b)


def _multiply_fractions(level: int) -> Exercise:
    a, b = Fraction(1 + level, 3 + level), Fraction(2, 3 + 2 * (level % 3) + level)
    return _what(f"{a} × {b}", a * b)


def _decimals(level: int) -> Exercise:
    a, b = 12 + 31 * level, 5 + 14 * level
    return _what(f"{a / 10:g} + {b / 100:g}", f"{(10 * a + b) / 100:g}")


def _percent(level: int) -> Exercise:
    share, whole = 10 + 5 * level, 40 + 60 * level
    if level % 2:
        return (
            f"A coat of {whole} yuan is sold {share} % cheaper. By how many yuan?",
            f"一件 {whole} 元的外套降价 {share} %，便宜了多少元？",
            f"{whole * share / 100:g}",
        )
    return f"What is {share} % of {whole}?", f"{whole} 的 {share} % 是多少？", f"{whole * share / 100:g}"


def _equations(level: int) -> Exercise:
    a, b, x = 2 + level // 2, 3 + 2 * level, (-1) ** level * (2 + level)
    return f"Solve {a}x + {b} = {a * x + b}.", f"解方程 {a}x + {b} = {a * x + b}。", str(x)


WRITERS: dict[str, Callable[[int], Exercise]] = {
    "addition": _addition,
    "subtraction": _subtraction,
    "multiplication": _multiplication,
    "division": _division,
    "order": _order,
    "negative": _negative,
    "simplify": _simplify,
    "add-fractions": _add_fractions,
    "multiply-fractions": _multiply_fractions,
    "decimals": _decimals,
    "percent": _percent,
    "equations": _equations,
}


def exercise_rows() -> list[list[str]]:
    """The content file with its header: a row an exercise, by skill, from easy to hard; what its skill is called and
    needs, a hint and a worked example, each in both languages."""
    header = "exercise skill needs skill_name skill_name_zh text text_zh answer hint hint_zh example example_zh"
    rows = [header.split()]
    for skill, write in WRITERS.items():
        beside = (*HINTS[skill], *WORKED[skill])
        for level in range(8):
            of_skill = (skill, " ".join(NEEDS[skill]), *SKILLS[skill])
            rows.append([f"{skill}-{level + 1}", *of_skill, *write(level), *beside])
    return rows
