"""Writes many different messages out of hand-written sentences, always the same ones for the same seed."""

import random
import re
from pathlib import Path

TEXT_FOLDER = Path(__file__).parent / "blueprint_text"
CHOICE = re.compile(r"\{([^{}]*)\}")
ADDRESS = re.compile(r"[\w@:/.-]*\.example[\w/.]*")
SLOT = re.compile(r"<(\w+)>")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "r": "et", "s": "ad", "t": "ry", "u": "yi",
    "v": "cb", "w": "qe", "y": "tu",
}  # fmt: skip
SHORT_FORMS = {
    "please": ("pls", "plz"), "you": ("u",), "your": ("ur",), "because": ("cos", "bc"), "are": ("r",),
    "delivery": ("dlvry", "delivry"), "received": ("recieved",), "address": ("adress",),
    "definitely": ("definately",), "tomorrow": ("tmrw",), "weeks": ("wks",),
    "payment": ("paymnet", "payemnt"), "account": ("acount", "acct"), "thanks": ("thx", "tnx"),
    "with": ("w/", "wiht"), "and": ("&", "adn"), "the": ("teh",), "to": ("2",), "message": ("msg",),
    "people": ("ppl",), "though": ("tho",), "for": ("4",),
}  # fmt: skip


def read_sections(name: str) -> dict[str, list[str]]:
    """Sentences of a text file by the [section] they stand under; lines that start with # are remarks."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in (TEXT_FOLDER / name).read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            current = sections.setdefault(line[1:-1], [])
        else:
            current.append(line)
    return sections


def dealt(sentences: list[str], n: int, rng: random.Random) -> list[str]:
    """n sentences, each used once before any is used again."""
    cards: list[str] = []
    while len(cards) < n:
        cards += rng.sample(sentences, len(sentences))
    return cards[:n]


def is_chinese(text: str) -> bool:
    """Whether the text holds a Chinese character."""
    return CHINESE.search(text) is not None


def fill(sentence: str, words: dict[str, list[str]], rng: random.Random) -> str:
    """The sentence with each {a|b} decided and each <slot> filled from the words of its language."""
    while CHOICE.search(sentence):
        sentence = CHOICE.sub(lambda match: rng.choice(match[1].split("|")), sentence, count=1)
    language = "zh" if is_chinese(sentence) else "en"
    return SLOT.sub(lambda match: _slot(match[1], language, words, rng), sentence)


def _slot(name: str, language: str, words: dict[str, list[str]], rng: random.Random) -> str:
    if name == "order":
        return rng.choice(["#{}", "{}", "HB-{}", "no {}"]).format(rng.randint(100_000, 989_999))
    if name == "amount":
        euros, cents = rng.randint(6, 240), rng.choice(["", "", ".00", ".90", ".99", ".50"])
        shape = "{}{}元" if language == "zh" else rng.choice(["${}{}", "€{}{}", "{}{} euros"])
        return shape.format(euros, cents)
    if name == "email":
        person = rng.choice(["anna", "b.katz", "jo", "mira77", "wei.chen"])
        return f"{person}@example.{rng.choice(['com', 'org'])}"
    if name == "phone":
        return f"{rng.randint(201, 989)}-555-01{rng.randint(10, 99)}"
    return rng.choice(words[f"{name}.{language}"])


def misspell(text: str, n_slips: int, rng: random.Random) -> str:
    """The text with slips of the finger: letters swapped, dropped, doubled or hit beside."""
    letters = list(text)
    kept = {place for match in ADDRESS.finditer(text) for place in range(*match.span())}
    inner = (place for place in range(1, len(letters) - 1) if place not in kept)
    spots = [place for place in inner if letters[place].isascii() and letters[place].isalpha()]
    for spot in rng.sample(spots, min(n_slips, len(spots))):
        slip = rng.choice(["swap", "drop", "double", "beside"])
        if slip == "swap" and letters[spot + 1].isalpha():
            letters[spot], letters[spot + 1] = letters[spot + 1], letters[spot]
        elif slip == "drop":
            letters[spot] = ""
        elif slip == "double":
            letters[spot] *= 2
        else:
            letters[spot] = rng.choice(NEIGHBOURS.get(letters[spot].lower(), letters[spot]))
    return "".join(letters)


def shorten(text: str, share: float, rng: random.Random) -> str:
    """The text with a share of the common words in the short or wrong forms that people type."""

    def swap(match: re.Match[str]) -> str:
        forms = SHORT_FORMS.get(match[0].lower())
        return rng.choice(forms) if forms and rng.random() < share else match[0]

    return re.sub(r"[A-Za-z]+", swap, text)


def type_like_a_person(text: str, emoji: list[str], rng: random.Random) -> str:
    """The text as it might be typed: careful or hasty, shouted, with slips, with emoji."""
    style = rng.choices(["careful", "as written", "lower", "hasty", "shout"], [30, 30, 20, 17, 3])[0]
    if style == "careful":
        text = text[0].upper() + text[1:]
    elif style == "lower":
        text = text.lower()
    elif style == "hasty":
        text = shorten(re.sub(r"[.,](?=\s|$)|'", "", text.lower()), 0.4, rng)
    elif style == "shout" and len(text) < 90:
        text = text.upper()
    slips = {"careful": 0.1, "hasty": 0.7}.get(style, 0.25)
    if rng.random() < slips:
        text = misspell(text, 1 + (len(text) > 60) + (style == "hasty"), rng)
    if rng.random() < 0.05:
        text = re.sub(r"[!?]$", lambda match: match[0] * rng.randint(2, 4), text)
    if rng.random() < 0.06:
        text = f"{text} {rng.choice(emoji)}"
    return re.sub(r"  +", " ", text).strip()
