"""The brand's rules for texts: words that are never used, what must be said, how long, and what may not be promised."""

import re
import unicodedata
from pathlib import Path

from pydantic import Field

from windlass.errors import NotReady, SpecError
from windlass.metrics.texts import toxic, word_list
from windlass.strict_yaml import Strict, read, read_utf8

CJK = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff]")
HIDDEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
"""Characters that are not seen, and could break a word that is looked for."""
MOST_WORDS, MOST_CHARACTERS = 1_000, 200

NOT_SUPERLATIVE = (
    "arrest|armrest|attest|backrest|beast|behest|bequest|breast|budapest|bucharest|chest|conquest|contest|crest|detest|"
    "digest|divest|earnest|east|est|everest|feast|fest|footrest|forest|guest|harvest|headrest|honest|infest|ingest|"
    "inquest|interest|invest|jest|latest|least|lest|manifest|midwest|modest|molest|nest|northeast|northwest|pest|priest|"
    "protest|quest|request|rest|retest|southeast|southwest|suggest|tempest|test|unrest|vest|west|wrest|zest"
)
"""What ends in -est and compares nothing; 'at least' and 'latest' say how many and when."""
ENGLISH_SUPERLATIVES = re.compile(
    r"\b(?:the |our |your |its )?(?:very )?(?:best(?! (?:regards|wishes|before|man)\b)|worst)\b"
    rf"|\b(?!(?:best|{NOT_SUPERLATIVE})\b)[a-z]{{2,}}est\b"
    r"|\b(?:the|our|its) most(?! of\b| people\b)(?: [a-z]+)?"
    r"|\bmost [a-z]+(?:ful|ive|able|ible|ous|ant|ent|ing|ed|al|ic|ary|less)\b"
    r"|\bnumber (?:one|1)\b|\bno\. ?1\b|\bsecond to none\b|\bworld-class\b"
    r"|\bun(?:beatable|rivalled|rivaled|surpassed|matched)\b"
)
CHINESE_SUPERLATIVES = re.compile(
    r"最(?![近后初终少]|多(?:可|能|只|放|用|装|坐|带)).?|(?:全国|全球|世界|行业|销量|品牌|亚洲|国内|业内)第一|第一品牌"
    r"|顶级|顶尖|极致|极品|国家级|世界级|宇宙级|独一无二|绝无仅有|史无前例|无与伦比|无可比拟|万能|首选|王牌|销量冠军|天下无双"
)
HEALTH = re.compile(
    r"\b(?:cures?|heals?|prevents?|treats?|relieves?|fights?|protects? (?:you )?(?:from|against))\b"
    r"[^.!?]{0,40}\b(?:diseases?|illness(?:es)?|cancer|diabetes|pain|headaches?|colds|a cold|flu|virus(?:es)?|"
    r"infections?|inflammation|stress|anxiety|depression|insomnia|allerg(?:y|ies)|arthritis|age?ing)\b"
    r"|\b(?:lose|losing) weight\b|\bweight[- ]loss\b|\bdetox\w*|\bpurif(?:y|ies) (?:the |your )?(?:body|blood)\b"
    r"|\b(?:boosts?|strengthens?) (?:the |your )?(?:immune system|immunity|metabolism)\b|\banti-?age?ing\b"
    r"|\bclinically (?:proven|tested)\b|\bmiracle cure\b|\blive longer\b|\bgood for your health\b"
    r"|治愈|根治|治疗|疗效|药效|防癌|抗癌|防病|治病|减肥|瘦身|排毒|抗衰老|延年益寿|延缓衰老|降血压|降血糖|降血脂"
    r"|(?:增强|提高|提升)(?:您的)?(?:免疫力|抵抗力|代谢)|改善睡眠|缓解(?:疼痛|头痛|焦虑|失眠)|包治百病|有益健康|养生功效"
)


class Required(Strict):
    """Words that a text must contain: always, or when it speaks of one of these things."""

    text: str = Field(min_length=1, max_length=MOST_CHARACTERS, description="what must be said")
    when: list[str] = Field([], max_length=MOST_WORDS, description="only in texts with one of these words")


class Rules(Strict):
    """What every text of a brand keeps."""

    toxic: str | list[str] = Field(
        [], description="words that no text may hold, or the file beside this one that lists them, one a line"
    )
    never: list[str] = Field([], max_length=MOST_WORDS, description="words and phrases that are never used")
    required: list[Required] = Field([], max_length=MOST_WORDS, description="disclaimers")
    longest: int | None = Field(None, gt=0, description="characters of a text, at most")
    superlatives: bool = Field(False, description="whether 'the best', 'finest', '最好' may be said")
    health_promises: bool = Field(False, description="whether a text may promise health: 'cures colds', '减肥'")

    @property
    def in_force(self) -> list[str]:
        """The names of the rules that a text can break."""
        allowed = {"superlatives": self.superlatives, "health_promises": self.health_promises}
        return [name for name in type(self).model_fields if not allowed.get(name, not getattr(self, name))]


def load_rules(path: Path) -> Rules:
    """The rules of a `brand.yaml`. Raises: NotReady: no such file; SpecError: another key or value than expected."""
    if not path.is_file():
        raise NotReady(f"{path} does not exist, expected the rules of the brand")
    rules = read(Rules, path)
    rules = rules.model_copy(update={"toxic": _listed(rules.toxic, path)})
    for words in [*rules.never, *(word for each in rules.required for word in each.when)]:
        if not _plain(words).strip():
            raise SpecError(f"{path} has an empty word, expected letters")
    return rules


def _listed(toxic: str | list[str], path: Path) -> list[str]:
    """The toxic words that the rules of this path name. Raises: NotReady: no such file. SpecError: no words in it."""
    if isinstance(toxic, list):
        return toxic
    file = path.parent / toxic
    if not file.is_file():
        raise NotReady(f"{file} does not exist, expected the list of toxic words that {path} names")
    found = word_list(read_utf8(file))
    if not found:
        raise SpecError(f"{file} has no words, expected one a line")
    return found


def broken(text: str, rules: Rules) -> list[str]:
    """What the text does against the rules, one sentence each; empty when it keeps them all."""
    return [fault for faults in breaches(text, rules).values() for fault in faults]


def breaches(text: str, rules: Rules) -> dict[str, list[str]]:
    """The same by rule, those that it breaks alone."""
    plain = _plain(text)
    faults: dict[str, list[str]] = {
        "toxic": [f"holds '{word}', which is on the list of toxic words" for word in toxic(text, rules.toxic)],
        "never": [f"uses '{word}', which is never used" for word in rules.never if _says(plain, word)],
    }
    faults["required"] = [
        f"speaks of {_first(plain, each.when)} without '{each.text}'" if each.when else f"lacks '{each.text}'"
        for each in rules.required
        if (not each.when or _first(plain, each.when)) and _plain(each.text) not in plain
    ]
    if rules.longest is not None and len(text) > rules.longest:
        faults["longest"] = [f"has {len(text):,} characters, expected at most {rules.longest:,}"]
    if not rules.superlatives:
        found = _found(plain, ENGLISH_SUPERLATIVES) + _found(plain, CHINESE_SUPERLATIVES)
        faults["superlatives"] = [f"says '{words}', a superlative" for words in found]
    if not rules.health_promises:
        faults["health_promises"] = [f"promises health: '{words}'" for words in _found(plain, HEALTH)]
    return {rule: found for rule, found in faults.items() if found}


def _plain(text: str) -> str:
    """The text as it is looked through: one width, lower case, nothing hidden in it, single spaces."""
    return " ".join(HIDDEN.sub("", unicodedata.normalize("NFKC", text)).replace("’", "'").casefold().split())


def _says(plain: str, words: str) -> bool:
    """True when the plain text holds the words: whole ones, except in Chinese, which has no spaces between them."""
    wanted = _plain(words)
    if CJK.search(wanted):
        return wanted in plain
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", plain) is not None


def _first(plain: str, words: list[str]) -> str:
    return next((f"'{word}'" for word in words if _says(plain, word)), "")


def _found(plain: str, pattern: re.Pattern[str]) -> list[str]:
    """The different passages that the pattern finds, in order."""
    return list(dict.fromkeys(match[0] for match in pattern.finditer(plain)))
