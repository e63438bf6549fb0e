"""Writes the sample data of the translator blueprint: what a web shop and its customers say, in English and Chinese.

Source: pairs written by hand for this project (tools/blueprint_text/translator.txt), Apache-2.0.
"""

import csv
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

import message_writer as writer

SEED = 13
TARGET = Path(__file__).parents[1] / "src/windlass/blueprints/translator/data/pairs.csv"
N_PAIRS = 4_800
VOICES = {"request": 26, "complaint": 19, "question": 16, "service": 16, "news": 11, "product": 12}
CUSTOMER = ("request", "complaint", "question")
GREETING_SHARE, CLOSING_SHARE, SECOND_SHARE = 0.22, 0.2, 0.3
COLOUR_SHARE, MATERIAL_SHARE = 0.4, 0.25
GROUPS = ("top", "shoe", "small", "thing", "device")
SLOT = re.compile(r"<([a-z_]+(?:\.[a-z]+)?)(\d?)(:mw)?>")
NUMBER = re.compile(r"\[([^|\]]*)\|([^|\]]*)\]")
NOUN = re.compile(rf"(a_|n_)?(item|{'|'.join(GROUPS)})(\.plain|\.single|\.plural)?")
KEEPS_CAPITAL = re.compile(r"(I|I'd|Ms|Mr)\b")
DIGITS = "零一两三四五六七八九十"
WORDS = ["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
]  # fmt: skip
PRICES = [
    9, 12, 15, 18, 20, 25, 29, 30, 35, 39, 45, 49, 50, 55, 60, 65, 68, 75, 79, 80, 88, 90, 99, 100, 110, 120, 128, 135,
    150, 160, 168, 180, 199, 200, 220, 240, 250, 268, 280, 299, 300, 320, 350, 399, 420, 450, 480, 500, 599, 650, 680,
    750, 800, 880, 900, 999, 1200, 1500, 2000,
]  # fmt: skip

Pair = tuple[str, str]


class Clash(Exception):
    """Two parts of a message that do not go together: it is drawn anew."""


@dataclass(frozen=True)
class Item:
    """What the shop sells; for what is named in pairs, singular and plural are the same."""

    group: str
    singular: str
    plural: str
    chinese: str
    measure: str
    materials: tuple[str, ...]
    is_pair: bool


def read_items(sections: dict[str, list[str]]) -> list[Item]:
    """The items of the text file, taken out of its sections."""
    items = []
    for group in GROUPS:
        for line in sections.pop(group):
            english, other = line.split(" = ")
            names, parts = english.removeprefix("* ").split(" / "), other.split(" / ")
            materials = tuple(parts[2].split()) if len(parts) > 2 else ()
            is_pair = english.startswith("* ")
            items.append(Item(group, names[0], names[-1], parts[0], parts[1], materials, is_pair))
    return items


def simple_values(name: str, rng: random.Random) -> Pair:
    """A price, a date, a size or another number. Raises: KeyError: there is no such sort."""
    number = rng.randint(2, 10)
    month, day = rng.randint(1, 12), rng.randint(1, 28)
    size, order, price = rng.choice(["XS", "S", "M", "L", "XL", "XXL"]), rng.randint(1000, 9999), rng.choice(PRICES)
    date = rng.choice(["{0} {1}", "{1} {0}"]).format(MONTHS[month - 1], day)
    values = {
        "price": (f"{price} yuan", f"{price}元"),
        "order": (str(order), str(order)),
        "date": (date, f"{month}月{day}日"),
        "letter": (size, size),
        "number": (str(33 + number), str(33 + number)),
        "height": (f"{150 + 4 * number} cm", f"{150 + 4 * number}厘米"),
        "weight": (f"{50 * number} grams", f"{50 * number}克"),
        "hours": (f"{WORDS[number]} hours", f"{DIGITS[number]}个小时"),
    }
    return values[name]


@dataclass
class Talk:
    """A message as it is written: what it speaks of stays the same in all its sentences."""

    grammar: dict[str, list[Pair]]
    items: list[Item]
    rng: random.Random
    things: dict[str, tuple[Item, Pair]] = field(default_factory=dict)
    drawn: dict[str, tuple[object, Pair]] = field(default_factory=dict)
    is_plural: bool | None = None

    def sentence(self, section: str) -> Pair:
        """A sentence of the section with everything put in. Raises: Clash."""
        self.drawn, self.is_plural = {}, None
        english, chinese = self.fill(self.rng.choice(self.grammar[section]))
        return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", english), chinese

    def fill(self, pair: Pair) -> Pair:
        """Both sides with their choices made and their slots filled; what fills one side fills the other."""
        english = pair[0]
        while writer.CHOICE.search(english):
            english = writer.CHOICE.sub(lambda match: self.rng.choice(match[1].split("|")), english, count=1)
        english = SLOT.sub(lambda match: self.slot(match, pair)[0], english)
        chinese = SLOT.sub(lambda match: self.slot(match, pair)[1], pair[1])
        plural = self.things[""][0].is_pair if self.is_plural is None and "" in self.things else self.is_plural
        return re.sub("  +", " ", NUMBER.sub(lambda match: match[2 if plural else 1], english)), chinese

    def slot(self, match: re.Match[str], owner: Pair) -> Pair:
        name, digit, measure = match.groups()
        noun = NOUN.fullmatch(name)
        if noun:
            return ("", self.thing(noun[2], digit)[0].measure) if measure else self.named(noun, digit)
        key = name + digit
        if key not in self.drawn:
            taken = [pair for known, (_, pair) in self.drawn.items() if known.rstrip("23") == name]
            value = self.value(name, owner)
            if value in taken:
                raise Clash
            self.drawn[key] = owner, value
        elif self.drawn[key][0] is not owner:
            raise Clash
        return self.drawn[key][1]

    def value(self, name: str, owner: Pair) -> Pair:
        if name in self.grammar:
            return self.fill(self.rng.choice(self.grammar[name]))
        if name != "more":
            return simple_values(name, self.rng)
        place = self.rng.randrange(len(PRICES) - 5)
        if "price" in self.drawn:
            place = PRICES.index(int(self.drawn["price"][1][1].removesuffix("元")))
        else:
            self.drawn["price"] = owner, (f"{PRICES[place]} yuan", f"{PRICES[place]}元")
        more = [*PRICES, 2400, 2800, 3000, 3200, 3500][place + self.rng.randint(1, 5)]
        return f"{more} yuan", f"{more}元"

    def thing(self, base: str, digit: str) -> tuple[Item, Pair]:
        """What is spoken of, and what it is like. Raises: Clash: it is of another group."""
        if digit not in self.things:
            item = self.rng.choice([item for item in self.items if base in ("item", item.group)])
            self.things[digit] = item, self.looks(item)
        item = self.things[digit][0]
        if base not in ("item", item.group) or (digit and item is self.things[""][0]):
            raise Clash
        return self.things[digit]

    def looks(self, item: Item) -> Pair:
        colour = self.rng.choice(self.grammar["colour"]) if self.rng.random() < COLOUR_SHARE else ("", "")
        materials = dict(self.grammar["material"])
        name = self.rng.choice(item.materials) if item.materials and self.rng.random() < MATERIAL_SHARE else ""
        english = " ".join(part for part in (colour[0], name) if part)
        return english + " " * bool(english), colour[1] + materials.get(name, "")

    def named(self, noun: re.Match[str], digit: str) -> Pair:
        """The thing as it is named here: bare, as one or as so many; with what it is like, or plain."""
        is_new = digit not in self.things
        item, looks = self.thing(noun[2], digit)
        if noun[3]:
            if not is_new and looks[0]:
                raise Clash
            self.things[digit] = item, ("", "")
            looks = ("", "")
        if noun[3] == ".single" and item.is_pair:
            raise Clash
        is_many = noun[1] == "n_" or noun[3] == ".plural" or (item.is_pair and noun[1] != "a_")
        if not digit and self.is_plural is None:
            self.is_plural = is_many
        name, chinese = looks[0] + (item.plural if is_many else item.singular), looks[1] + item.chinese
        if not noun[1]:
            return name, chinese
        key = f"{noun[1]}{noun[2]}{digit}"
        if key not in self.drawn:
            number = 1 if noun[1] == "a_" else self.rng.choice([2, 2, 2, 3, 3, 4, 5, 6, 8, 10])
            unit = ("pairs of " if number > 1 else "pair of ") * item.is_pair
            count = WORDS[number] if number > 1 else "a"
            self.drawn[key] = noun[1], (f"{count} {unit}{name}", f"{DIGITS[number]}{item.measure}{chinese}")
        return self.drawn[key][1]


def message(voice: str, talk: Talk, rng: random.Random) -> Pair:
    """One to three sentences of one voice. Raises: Clash."""
    parts = [talk.sentence(voice)]
    if rng.random() < SECOND_SHARE:
        parts.append(talk.sentence(second_of(voice, talk, rng)))
    if voice == "product":
        return joined(parts)
    side = "customer" if voice in CUSTOMER else "shop"
    if rng.random() < GREETING_SHARE:
        parts.insert(0, talk.sentence(f"greeting.{side}"))
    if rng.random() < CLOSING_SHARE:
        parts.append(talk.sentence(f"closing.{side}"))
    return joined(parts)


def second_of(voice: str, talk: Talk, rng: random.Random) -> str:
    """What may follow: the same voice, or another that fits."""
    if voice == "product" and "" in talk.things:
        return rng.choice(["product", f"care.{talk.things[''][0].group}"])
    return {"complaint": "question", "news": "service", "question": "question", "request": "question"}.get(voice, voice)


def joined(parts: list[Pair]) -> Pair:
    """The sentences as one text, each with its capital unless it follows a comma."""
    english = ""
    for part, _ in parts:
        goes_on = english.endswith(",") and not KEEPS_CAPITAL.match(part)
        part = (part[0].lower() if goes_on else part[0].upper()) + part[1:]
        english += f" {part}" if english else part
    english = re.sub(r"([.?!] )([a-z])", lambda match: match[1] + match[2].upper(), english)
    return english, "".join(chinese for _, chinese in parts)


def write_pairs(sections: dict[str, list[str]], rng: random.Random) -> list[Pair]:
    """Different pairs, in random order: no English text and no Chinese text stands in two of them."""
    items = read_items(sections)
    grammar = {
        name: [(english, chinese) for english, chinese in (line.split(" = ") for line in lines)]
        for name, lines in sections.items()
    }
    pairs: dict[str, str] = {}
    chinese_texts: set[str] = set()
    while len(pairs) < N_PAIRS:
        voice = rng.choices(list(VOICES), list(VOICES.values()))[0]
        try:
            english, chinese = message(voice, Talk(grammar, items, rng), rng)
        except Clash:
            continue
        if english not in pairs and chinese not in chinese_texts:
            pairs[english] = chinese
            chinese_texts.add(chinese)
    return list(pairs.items())


def main(target: Path = TARGET) -> None:
    """Write the file and say what is in it."""
    pairs = write_pairs(writer.read_sections("translator.txt"), random.Random(SEED))
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("en", "zh"), *pairs])
    words = {word for english, _ in pairs for word in re.findall(r"[a-z']+", english.lower())}
    characters = {character for _, chinese in pairs for character in chinese}
    print(f"{target}: {len(pairs)} pairs, {len(words)} English words, {len(characters)} characters in Chinese texts")


if __name__ == "__main__":
    main()
