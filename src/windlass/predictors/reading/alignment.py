"""A sentence laid beside its evidence: what of it stands there, what not, in which order, and with which polarity.

Words are compared by their stems, Chinese by pairs of characters. What is said of it are features, which
`learners/reading/support.py` weighs; `windlass.predictors.reading.verifier` names some of them as reasons.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

from windlass.metrics.texts import CJK
from windlass.predictors.reading.quantities import plain_text, quantities

TOKEN = re.compile(rf"{CJK.pattern}|[^\W\d_\u3400-\u9fff]+(?:['’][^\W\d_\u3400-\u9fff]+)?|\d[\d,.]*\d|\d")
CLAUSE = re.compile(
    r"[，,；;。.!！?？:：—]+(?!\d)|\b(?:and|but|while|whereas|although|though|which|who)\b|[并而但且](?!非)"
)
FUNCTION = frozenset(
    "a an the of to in on at by for with from into as that which who whom whose this these those it its he she they his her"  # noqa: E501, SIM905
    " their them him is are was were be been being has have had do does did will would can could may might must shall should"  # noqa: E501
    " and or but if then than so while when where there also only both each every any all some such other another more most"  # noqa: E501
    " very about around over up out after before between during since until because although though not no never none nobody"  # noqa: E501
    " nothing neither nor cannot n't without you your we our i my me us one ones own too per within against what how under"  # noqa: E501
    " most least maximum minimum up total per each s t people person persons someone somebody anyone 的 了 在 是 和 与 也 都 把 被 由 将 之 其 于 及 等 为 以 就 则 而 且 并 但 可 能 会 须"  # noqa: E501
    " 要 应 请 该 此 这 那 它 他 她 们 个 不 没 未 无 非 勿 别 有 着 过 到 从 向 对 给 让 使 得 地 所 者 又 再 才 很 更 最 约 后 前 时 中 里 上 下 内 外 间 只 至 多 少 共 全 各 并 当 如 果 因 虽 却 来 去".split()  # noqa: E501
)
NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|cannot|without|\w+n['’]t)\b"
    r"|不(?!仅|但|过|同|只|论|管|断|久|得不)|没有?|未(?!来|必)|无(?!论|锡)|非(?!常|洲|法)|勿|别(?=[用把去])|莫(?=[^斯])|从来?不|并非",
    re.IGNORECASE,
)
REFUSING = re.compile(
    r"\b(?:refus|dislik|declin|reject|forbid|forbad|prohibit|ban(?:s|ned)\b|fail(?:s|ed)?\b|den(?:y|ied)|exclud|unable|impossible)\w*"
    r"|拒绝|禁止|严禁|婉拒|否认|排除",
    re.IGNORECASE,
)
BOUND = re.compile(
    r"\b(?:no|not) (?:more|less|fewer|later|longer) than\b|\bnot only\b|不(?:得|能|可)?[超少多低高大小晚早][过于]|不[满足到]|未满|不仅|不只|无论|不管"  # noqa: E501
    r"|\b(?:without|no) (?:charges?|costs?|fees?)\b",
    re.IGNORECASE,
)
PASSIVE = re.compile(
    r"\b(?:is|are|was|were|be|been|being|gets?|got)\s+(?:\w+ly\s+|not\s+|never\s+|first\s+)?\w+(?:ed|en|wn|de|nt|ht|ld|t)\b|\bby\b"
    r"|[被由](?!于)|受到|获得?|遭",
    re.IGNORECASE,
)
SWEEPING = re.compile(
    r"\b(?:all|always|every|only|most|first|best|largest|any)\b|所有|总是|全部|最[大高早好先快]|唯一|任何|随时|一律",
    re.IGNORECASE,
)
IRREGULAR = {
    form: base
    for line in (
        "give gave given", "win won", "build built", "take took taken", "begin began begun", "write wrote written", "hold held",  # noqa: E501
        "buy bought", "sell sold", "make made", "lose lost", "find found", "lead led", "leave left", "keep kept", "pay paid",  # noqa: E501
        "grow grew grown", "fall fell fallen", "rise rose risen", "go went gone goes", "come came", "see saw seen", "send sent",  # noqa: E501
        "teach taught", "think thought", "bring brought", "become became", "drive drove driven", "fly flew flown", "know knew known",  # noqa: E501
        "choose chose chosen", "speak spoke spoken", "run ran", "meet met", "spend spent", "lend lent", "lie lay lain", "die died dying",  # noqa: E501
        "bear born bore", "wear wore worn", "eat ate eaten", "draw drew drawn", "stand stood", "tell told", "say said", "feed fed",  # noqa: E501
        "child children kids kid", "man men", "woman women", "foot feet", "shrink shrank shrunk", "sing sang sung", "swim swam",  # noqa: E501
        "free freely", "large larger largest", "big bigger biggest", "wife wives", "life lives", "leaf leaves",
    )
    for base, *forms in [line.split()]
    for form in forms
}  # fmt: skip
COMPARING = frozenset(("than", "比", "于"))
SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤裴柳"
)
PLACES = frozenset("州市县省江河湖海门桥司厂院馆室城镇村山岛国军队社局部店区港")
Synonyms = Mapping[str, frozenset[str]]


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The form in which a word is compared: irregular ones by a table, others without usual endings."""
    word = IRREGULAR.get(word, word).removesuffix("'s").removesuffix("’s")
    for ending in (
        "ations",
        "ation",
        "ingly",
        "ings",
        "ing",
        "edly",
        "ies",
        "ied",
        "ers",
        "ed",
        "es",
        "er",
        "ly",
        "s",
        "e",
        "y",
    ):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word[:6].removesuffix("i").removesuffix("e")


@dataclass(frozen=True)
class Token:
    """form: how it is compared. clause: the number of its clause."""

    shown: str
    form: str
    start: int
    clause: int
    is_content: bool

    @property
    def is_cjk(self) -> bool:
        return bool(CJK.match(self.shown))


@dataclass(frozen=True)
class Said:
    """A text with its tokens, numbers and clauses."""

    text: str

    @cached_property
    def quantities(self) -> list:  # type: ignore[type-arg]
        return quantities(self.text)

    @cached_property
    def clauses(self) -> list[tuple[int, int]]:
        edges = [0, *(match.end() for match in CLAUSE.finditer(self.text)), len(self.text)]
        return [(first, last) for first, last in pairwise(edges) if self.text[first:last].strip(" ,.;，。；")]

    @cached_property
    def tokens(self) -> list[Token]:
        numbers = [each.place for each in self.quantities]
        found = []
        for match in TOKEN.finditer(plain_text(self.text)):
            if any(first <= match.start() < last for first, last in numbers):
                continue
            shown = match.group()
            lower = shown.lower()
            form = lower if CJK.match(shown) else stem(lower)
            clause = sum(first <= match.start() for first, _ in self.clauses) - 1
            found.append(Token(shown, form, match.start(), clause, lower not in FUNCTION and not shown[0].isdigit()))
        return found

    @cached_property
    def content(self) -> list[Token]:
        return [token for token in self.tokens if token.is_content]

    @cached_property
    def forms(self) -> frozenset[str]:
        return frozenset(token.form for token in self.tokens)

    @cached_property
    def pairs(self) -> frozenset[str]:
        return frozenset(
            one.form + two.form
            for one, two in pairwise(self.tokens)
            if one.is_cjk and two.is_cjk and two.start == one.start + 1
        )

    def negatives(self, first: int, last: int) -> int:
        """Negations within; bounds such as `no more than` are none."""
        part = BOUND.sub(lambda match: " " * len(match.group()), self.text)[first:last]
        return len(NEGATION.findall(part)) + len(REFUSING.findall(part))


def matched(claim: Said, evidence: Said, synonyms: Synonyms) -> list[float]:
    """Of each content token of the claim how far it stands in the evidence, 0-1. Chinese ones want their neighbour too."""  # noqa: E501
    found = []
    tokens = claim.tokens
    for number, token in enumerate(tokens):
        if not token.is_content:
            continue
        if not token.is_cjk:
            near = synonyms.get(token.form, frozenset())
            found.append(1.0 if token.form in evidence.forms else 0.8 if near & evidence.forms else 0.0)
            continue
        before = tokens[number - 1].form + token.form if number else ""
        after = token.form + tokens[number + 1].form if number + 1 < len(tokens) else ""
        around = {before, after}
        if around & evidence.pairs:
            found.append(1.0)
        elif any(synonyms.get(pair, frozenset()) & evidence.pairs for pair in around):
            found.append(0.8)
        else:
            found.append(0.5 if token.form in evidence.forms else 0.0)
    return found


@dataclass(frozen=True)
class Run:
    """Neighbouring tokens of the claim that stand so in the evidence. place: there."""

    first: int
    last: int
    place: int

    @property
    def size(self) -> int:
        return self.last - self.first


def runs(claim: Sequence[Token], evidence: Sequence[Token]) -> list[Run]:
    """The claim cut into the longest runs that both have, the longest first chosen; in the claim's order."""
    ours, theirs = [token.form for token in claim], [token.form for token in evidence]
    used_ours, used_theirs = [False] * len(ours), [False] * len(theirs)
    found: list[Run] = []
    while (best := _longest(ours, theirs, used_ours, used_theirs)).size:
        found.append(best)
        for step in range(best.size):
            used_ours[best.first + step] = used_theirs[best.place + step] = True
    return sorted(found, key=lambda run: run.first)


def _longest(ours: list[str], theirs: list[str], used_ours: list[bool], used_theirs: list[bool]) -> Run:
    best, row = Run(0, 0, 0), [0] * (len(theirs) + 1)
    for first, form in enumerate(ours):
        before, row = row, [0] * (len(theirs) + 1)
        free = () if used_ours[first] else enumerate(theirs)
        for place in (place for place, other in free if form == other and not used_theirs[place]):
            size = row[place + 1] = before[place] + 1
            if size > best.size:
                best = Run(first - size + 1, first + 1, place - size + 1)
    return best
