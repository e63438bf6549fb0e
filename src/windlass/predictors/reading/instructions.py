"""Sentences of a document that give orders to whoever answers, rather than facts to the reader: they are no evidence.

A document may say anything, also "ignore your instructions". Such a sentence is neither read nor cited; it is kept and
counted, so that the owner sees it. Rules for readers ("do not immerse the base in water") are left alone: an order to
the one who answers names it, its answer, its instructions or what it must not tell.
Source: the kinds of attack of Greshake et al. 2023, arXiv:2302.12173 (indirect prompt injection).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from windlass.predictors.language.sentences import spans
from windlass.predictors.reading.sentences import Retrieved

_MACHINE = (
    r"(?:\bAI\b|\bA\.I\.|\bassistants?\b|\bchat ?bots?\b|\b(?:large )?language models?\b|\bLLMs?\b|\bthe model\b|\bGPT\b|人工智能|助手"  # noqa: E501
    r"|聊天机器人|语言模型|大模型|给模型)"
)
_ANSWER = r"(?:answers?|repl(?:y|ies)|respon(?:d|ses?)|output|summary|summari[sz]\w*|回答|回复|答复|输出|总结|答案)"
_SECRET = (
    r"(?:system prompt|prompt|instructions|credentials|secrets?|api keys?|access (?:key|token)s?|tokens?|passwords?|configur\w+"  # noqa: E501
    r"|confidential|系统提示|提示词|指令|凭证|秘密|密钥|令牌|密码|配置内容|机密)"
)
_SAY = (
    r"(?:tell|say|state|claim|inform|mention|recommend|reveal|disclose|print|output|show|repeat|append|include|insert|add|send|write"
    r"|quote|begin|start|end|answer|reply|respond|direct|ask|replace|cite|告诉|说|声称|称|告知|提及|建议|泄露|透露|公开|输出|显示|重复|附上|加上"
    r"|插入|发给|发送|写|引用|开头|结尾|回答|回复|引导|引到|请|换成)"
)
_READER = r"(?:the user|users|the (?:reader|customer|client)s?|everybody|anybody|用户|读者|客户|人)"
_LINK = r"(?:https?://|www\.|\b[\w.-]+@[\w-]+\.\w+|\b(?:[\w-]+\.)+(?:example|com|net|org|io|cn)\b)"
_ALL_DE = r"(?=.{0,40}\b(?:alle|vorherig|vorangegangen|vorig|bisherig|obig|früher|dein|ihre))"
_ALL_FR = r"(?=.{0,60}\b(?:tou(?:te)?s|précédent|antérieur|ci-dessus|vos|tes)\w*)"
ORDERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|rules?|prompts?|above|previous|everything|text|figures?|guidelines?)\b",
        r"^\W*override\b|(?:忽略|[无無][视視]|忘[掉记記]|不要?理[会會]|覆[盖蓋]).{0,16}(?:指令|[规規][则則]|提示|以上|之前|正文|[内內]容|[数數]字|要求)",
        rf"\b(?:ignorieren sie|ignorier[et]?|missachten? sie|missachte|vergiss|vergessen sie)\b{_ALL_DE}.{{0,60}}\b(?:anweisung|instruktion|regel|befehl|vorgabe|prompt)",  # noqa: E501
        rf"\b(?:ignore[zr]?|oublie[zr]?|ne (?:tiens|tenez) (?:pas|aucun) compte)\b{_ALL_FR}.{{0,60}}\b(?:instruction|consigne|règle|directive|prompt)",  # noqa: E501
        r"\b(?:answer|reply to|respond to) (?:every|each|all|any) (?:questions?|messages?|requests?)\b.{0,30}\b(?:with:? ?[\"'“‘«]|by (?:saying|stating))",  # noqa: E501
        rf"\b(?:when(?:ever)?|if) (?:you are |you're |someone |somebody |anyone |anybody |they )?ask(?:s|ed)?\b.{{0,80}}, (?:always |please |just |only )?(?:(?:tell|inform) (?:them|people|visitors?|{_READER})|(?:say|state|claim|answer|reply|respond) (?:that|with|only))\b",  # noqa: E501
        rf"\b(?:whoever|any(?:one|body) who|every(?:one|body) who) (?:is )?(?:answer|repl|respond|summari)\w*.{{0,40}}\b(?:should|must|shall|has to|is to|needs to)\b.{{0,20}}\b{_SAY}\b",  # noqa: E501
        r"^\W*(?:system|assistant|user|系统|助手)\s*[:：,，]|<\s*/?\s*(?:system|assistant|user|inst)\b|\[/?INST\]|<\|",
        r"\byou are (?:now|an?) (?:in |an? )?\w*\s?(?:debug|developer|pirate|assistant|AI|jailbroken|dan)\b|\bfrom now on,? (?:you are|answer|reply|say)\b|从现在起你|你现在(?:是|处于|起)",  # noqa: E501
        rf"{_MACHINE}(?:.{{0,60}}\b(?:must|should|shall|please|kindly)\b|.{{0,12}}(?:必须|应当|请|务必))",
        rf"(?:instructions?|notes?|messages?|指示|注意|提示).{{0,12}}{_MACHINE}|{_MACHINE}.{{0,4}}注意",
        r"\b(?:if you are|as) an? (?:AI|assistant|language model)|(?:如果|作为|若)你?[是为]?(?:AI|人工智能|助手|语言模型)|through an AI|通过AI",  # noqa: E501
        rf"\b{_SAY}\b.{{0,50}}\b(?:your|hidden|confidential|configured|the)\b.{{0,20}}{_SECRET}|{_SAY}.{{0,12}}你的.{{0,8}}{_SECRET}"
        rf"|(?:^|[，,：:])(?:立即|请)?(?:输出|显示|泄露|透露|公开|附上|发给|说出|把).{{0,8}}{_SECRET}",
        r"\b(?:repeat|print|output|show)\b.{0,20}\b(?:everything|all|text)\b.{0,10}\babove\b|重复.{0,12}(?:以上|全部内容)",
        r"\b(?:at|in|with) the (?:start|beginning|end) of your\b|写在回[答复]",
        r"^\W*always (?:answer|reply|respond|say)\b",
        rf"\b(?:your|every|each|this|the correct|all) {_ANSWER}\b|你的{_ANSWER}|(?:每[个次条]|正确|所有){_ANSWER}|在回[复答]中",  # noqa: E501
        rf"^\W*(?:please |always |instead\b.{{0,20}})?(?:tell|inform|ask|recommend|direct)\b.{{0,20}}{_READER}\b",
        rf"^\W*(?:if|when|whenever)\b.{{0,20}}\basks?\b.{{0,320}}\W (?:please |always |then )?(?:tell|inform|ask|recommend|direct)\b.{{0,20}}{_READER}\b",  # noqa: E501
        r"(?:告诉|告知|让|请|把|建议)(?:所有)?(?:用户|读者|客户)",
        r"(?:^|[;,:.]\s*|\b(?:and|please|instead) )(?:always )?(?:answer|reply|respond|say|state|claim)\b (?:that|with|only|instead|\")"  # noqa: E501
        r"|(?:^|[，,：:])(?:就|改|只|要)说(?!是)|一律回答|请回答",
        r"\byou (?:must|should|shall|have to|are to|need to) (?:always |only |now )?(?:answer|reply|respond)\b (?:that|with|only|instead|\")",  # noqa: E501
        rf"\b(?:insert|add|include|replace|append)\b.{{0,40}}\b(?:links?|image)\b|(?:加上|插入|换成|替换).{{0,20}}(?:链接|图片|{_LINK})",
        r"\b(?:do not|don't|never) (?:cite|mention|tell|reveal)\b|不要(?:引用|提及|讲)|新任务|\bnew task\b|\bdebug mode\b|调试模式",  # noqa: E501
        rf"!\[[^\]]*\]\({_LINK}|\b(?:the )?key\?|密钥是什么",
    )
)

DRAWN_APART = re.compile(
    r"(?:ignore|disregard|forget|override)(?:all|any|every)?(?:of)?(?:the|your|my|these|those)?"
    r"(?:previous|prior|preceding|above|earlier|system|your)(?:instruction|rule|prompt|guideline|direction)"
    r"|(?:忽略|[无無][视視]|忘[掉记記])(?:以上|之前|前面|先前)?的?(?:所有|全部|一切)?(?:以上|之前|前面|先前)?的?(?:指令|[规規][则則]|提示)"
)
"""The same order without what stands between its letters: `I g n o r e`, `ignore_previous_instructions`."""
BETWEEN = re.compile(r"[\W_]+")
NAMED = re.compile(rf"{_LINK}|{_SECRET}", re.IGNORECASE)


def orders(text: str) -> list[tuple[int, int]]:
    """Where the sentences stand that give orders to the one who answers; neighbours of one that name a secret as well."""  # noqa: E501
    places = spans(text)
    is_order = [_is_order(text[slice(*place)]) for place in places]
    near = [any(is_order[max(0, number - 1) : number + 2]) for number in range(len(places))]
    return [
        place
        for number, place in enumerate(places)
        if is_order[number] or (near[number] and NAMED.search(text[slice(*place)]))
    ]


def _is_order(sentence: str) -> bool:
    """Cells of a table and the text of a link or picture are looked at by themselves, too."""
    parts = dict.fromkeys([sentence.strip(), *(part.strip() for part in re.split(r"[|\[\]]", sentence))])
    if any(pattern.search(part) for part in parts for pattern in ORDERS):
        return True
    return bool(DRAWN_APART.search(BETWEEN.sub("", unicodedata.normalize("NFKC", sentence).lower())))


def without_orders(passages: Sequence[Retrieved]) -> tuple[list[Retrieved], list[tuple[str, str]]]:
    """The passages with orders blanked, so that places stay what they were; and each order with its passage's id."""
    kept, found = [], []
    for passage in passages:
        places = orders(passage.text)
        found += [(passage.id, passage.text[start:end]) for start, end in places]
        kept.append(replace(passage, text=blanked(passage.text, places)))
    return kept, found


def blanked(text: str, places: Sequence[tuple[int, int]]) -> str:
    """The text with spaces at these places."""
    for start, end in places:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
