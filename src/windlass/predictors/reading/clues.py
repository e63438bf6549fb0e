"""What a question asks for (a person, a moment, a number ...) and what a sentence has of that kind.

Both are told by patterns, English and Chinese alike; what goes with what is learned (`learners/reading/sentences.py`).
"""

import re

import numpy as np

from windlass.metrics.texts import CJK

_HEAD = r"(?:the |a |an )?(?:\w+ ){0,2}?"
ASKED: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "person": r"\bwho(?:m|se)?\b|谁|何人|哪位|哪一位|哪个人|哪几位",
        "moment": rf"\bwhen\b|\b(?:what|which) {_HEAD}(?:year|date|day|month|century|decade|time)|何时|什么时[候间]"
        r"|哪一?[年天月]|几[月号日]|何年|多久|时间是",
        "place": rf"\bwhere\b|\b(?:what|which) {_HEAD}(?:city|country|state|place|location|region|area|river|town)"
        r"|哪里|哪儿|何[处地]|什么地[方区]|哪个?(?:城市|国|地|省|市|县)|位于|在哪",
        "number": rf"\bhow (?:many|much|long|old|far|tall|large|big|high|often|fast|deep)\b"
        rf"|\b(?:what|which) {_HEAD}(?:percent|percentage|number|share|amount|population|score|size)|多少"
        r"|几[个名次位人座部场届条天岁种站]|多[长大高远重深快宽]|面积|人口|百分",
        "reason": r"\bwhy\b|\bwhat (?:caused|causes)|\breason|为什么|为何|原因|因何|缘故",
        "manner": r"\bhow\b|怎[么样]|如何",
        "name": r"\bnames?d?\b|\bcalled\b|叫[做什]|什么名|名[字称]|称[为作]什么|别称|又称|俗称",
        "choice": r"\bwhich\b|哪",
        "thing": r"\bwhat\b|什么|何",
        "meaning": r"^what (?:is|are|was|were)\b|是什么|是指|定义",
        "several": r"\bwhat (?:are|were)\b|哪些|哪[两几二三]|分别|有什么",
    }.items()
}
ANNOUNCES = re.compile(
    r"(?:this|the following) (?:page|section|document|guide|chapter|manual|help)\b"
    r".{0,20}\b(?:explain|describe|tell|list|cover|show|summari[sz]e|answer)s?\b"
    r"|(?:below|here)\b,? (?:we|you)\b.{0,20}\b(?:explain|describe|list|show|find|learn|read)\b"
    r"|(?:below|here) (?:is|are) (?:how|what|when|where|which)\b"
    r"|(?:下面|以下|下文|本[页节章]|这里)(?:将|会|主要|为您?|向您?)*(?:说明|介绍|讲[解述]?|列出|解释|告诉)",
    re.IGNORECASE,
)
"""How a sentence begins that says what is told elsewhere, and answers nothing itself."""
_CAPITAL = r"(?<![.!?]\s)(?<!^)\b[A-Z][\w'’-]+"
FOUND: dict[str, re.Pattern[str]] = {
    "year": re.compile(r"\b1\d{3}\b|\b20\d\d\b|[\d〇一二三四五六七八九零]{2,4}年"),
    "date": re.compile(
        r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December|centur(?:y|ies)"
        r"|decade|years?|months?|days?)\b|\d+[月日号]|世纪|年代|年[间初末底]|[早晚]期"
    ),
    "number": re.compile(
        r"\d[\d,.]*|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|dozen|hundreds?|thousands?|million|billion"
        r"|half|third|first|second)\b|[一二三四五六七八九十百千万亿两]+[个名次位人座部场届条天岁种站米公里元]"
    ),
    "measure": re.compile(
        r"%|percent|per cent|[$€£]\s?\d|\d\s?(?:km|m|kg|miles|feet|ft)\b|百分之|公里|平方|[美日港]?元"
    ),
    "name": re.compile(_CAPITAL),
    "full name": re.compile(rf"{_CAPITAL} (?:[A-Z]\. |de |von |of )?[A-Z][\w'’-]+|[{CJK.pattern[1:-1]}]·"),
    "place": re.compile(
        r"\b(?:in|at|from|near|to|of) (?:the )?[A-Z]\w+|位于|[省市县区镇村州岛]|地处|坐落|在\S{1,8}[里上中内]"
    ),
    "person": re.compile(
        r"\b(?:by|who|he|she|Mr|Dr|King|Queen|Sir|President)\b|[由被]\S|先生|女士|[导演作教画家]{2}|[他她]"
    ),
    "reason": re.compile(
        r"\b(?:because|due to|since|therefore|thus|result|led to|so that|in order to|caused?)\b|因[为此而]|由于|导致|所以|以致|为了|原因|使得?"  # noqa: E501
    ),
    "meaning": re.compile(
        r"\b(?:is an?|are|known as|called|named|refers? to|defined)\b|是|称[为作]|叫做?|名为|意[为思]|指"
    ),
    "manner": re.compile(r"\b(?:by \w+ing|using|through|with)\b|通过|利用|[用以]\S|采用|方式"),
    "title": re.compile(r"《|「|“|\"|'[A-Z]"),
    "list": re.compile(r"、.*、|, [^,]+, (?:and|or) |；.*；|包括|\bsuch as\b|\binclud"),
    "pronoun": re.compile(r"^(?:It|He|She|They|This|These|Its|His|Her|Their|该|此|其|它|他|她|这)"),
}
FOCUS = re.compile(
    r"\b(?:what|which|how many|how much)\s+(\w+)(?:\s+(\w+))?|(?:什么|哪[个些种位一座部所]?|多少|几)(\w{1,2})",
    re.IGNORECASE,
)


def asked(question: str) -> np.ndarray:
    """(len(ASKED),) float32: 1 for each kind of answer that the question asks for."""
    return np.array([bool(pattern.search(question)) for pattern in ASKED.values()], np.float32)


def found(sentence: str) -> tuple[tuple[str, ...], ...]:
    """Of each kind in FOUND what the sentence has of it, lower case."""
    return tuple(tuple(match.group().lower() for match in pattern.finditer(sentence)) for pattern in FOUND.values())


def unasked(clues: tuple[tuple[str, ...], ...], question: str) -> np.ndarray:
    """(len(FOUND),) float32: how many of these do not stand in the question, 9 at most."""
    lower = question.lower()
    counts = [sum(each not in lower for each in kind) for kind in clues]
    return np.minimum(np.array(counts, np.float32), 9)


def focus(question: str) -> list[str]:
    """The words right after the question word, lower case: `year` in `what year was ...`; a person would look for them."""  # noqa: E501
    match = FOCUS.search(question)
    return [word.lower() for word in match.groups() if word] if match else []
