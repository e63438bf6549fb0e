"""Writes the sample data of the content-studio blueprint: briefs and the texts that answer them.

Source: sentences written by hand for this project (tools/blueprint_text/content_studio_*.txt), Apache-2.0. Poems keep
the level and oblique tones of the modern quatrain (绝句, first line unrhymed) and the rhymes of 中华新韵.
"""

import csv
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import message_writer as writer
from scene_writer import Scene, polished, together

SEED = 13
TARGET = Path(__file__).parents[1] / "src/windlass/blueprints/content-studio/data/briefs.csv"
KINDS = {"product": "product introduction", "marketing": "marketing copy", "news": "short news", "story": "story"}
N_TEXTS = {
    ("product", "en"): 300, ("product", "zh"): 280, ("marketing", "en"): 280, ("marketing", "zh"): 260,
    ("news", "en"): 260, ("news", "zh"): 240, ("story", "en"): 240, ("story", "zh"): 220,
}  # fmt: skip
N_POEMS = {5: 270, 7: 270}
LANGUAGES = {"en": "English", "zh": "中文"}
TONES = {
    "en": {"plain": "plain", "warm": "warm", "playful": "playful", "formal": "formal"},
    "zh": {"plain": "平实", "warm": "温暖", "playful": "俏皮", "formal": "正式"},
}
MOODS = {"静": "宁静", "思": "思乡", "喜": "欢快", "愁": "惆怅"}
POEM_KINDS = {5: "five-character quatrain", 7: "seven-character quatrain"}
TWICE = ("茫茫", "悠悠", "夜夜", "处处", "沉沉")
APART = (("朝晨晓", "夕暮晚月夜星"), ("雨", "月星阳霞日雪"), ("雪", "霞露"), ("阳", "日照"))
"""Characters of the first kind do not stand in one poem with those of the second: dawn and dusk, rain and moon."""

Row = tuple[str, ...]
Sections = dict[str, list[str]]


def prose(kind: str, language: str, sections: Sections, rng: random.Random) -> Row:
    """A brief and its text: opening and ending in the tone, the middle with the facts."""
    scene = Scene(sections, kind, rng)
    tone = rng.choice(list(TONES[language]))
    brief = dict(line.split(": ", 1) for line in sections[kind])
    facts = [scene.tell(fact) for fact in brief["facts"].replace("；", "; ").split("; ")]
    if kind == "product":
        rng.shuffle(facts)
    parts = [f"{kind}.open.{tone}", f"{kind}.middle", f"{kind}.end.{tone}"]
    text = together([scene.one_of(part) for part in parts])
    topic, joined = polished(scene.tell(brief["topic"])), ("; " if language == "en" else "；").join(facts)
    return KINDS[kind], topic, joined, TONES[language][tone], LANGUAGES[language], text


@dataclass(frozen=True)
class Phrase:
    """Words of a poem: which sorts of thing they go with, in which seasons, and in which mood (last line)."""

    words: str
    sorts: str
    seasons: str
    mood: str = ""

    def suits(self, season: str, sort: str = "", mood: str = "") -> bool:
        in_season = self.seasons == "*" or season in self.seasons
        return in_season and (not sort or sort in self.sorts) and (not mood or mood == self.mood)


def read_phrases(sections: Sections) -> dict[str, list[Phrase]]:
    """The phrases by section."""
    phrases: dict[str, list[Phrase]] = {}
    for name, lines in sections.items():
        for line in lines if name != "title" else ():
            words, rest = line.split(" = ")
            phrases.setdefault(name, []).append(Phrase(words, *rest.split()))
    return phrases


def poem(length: int, phrases: dict[str, list[Phrase]], titles: dict[str, str], rng: random.Random) -> Row | None:
    """A quatrain of five or seven characters a line; None when its words clash."""
    title, mood = rng.choice(list(titles)), rng.choice(list(MOODS))
    season = titles[title]
    rhyme = rng.choice([name[-1] for name in phrases if name.startswith("second.")])
    shape = [("仄", "first"), ("平", f"second.{rhyme}"), ("平", "third"), ("仄", f"fourth.{rhyme}")]
    lines, nouns = [], []
    for tone, end in shape:
        noun = rng.choice([each for each in phrases[f"noun.{tone}"] if each.suits(season)])
        wanted = mood if end.startswith("fourth") else ""
        ends = [each for each in phrases[end] if each.suits(season, noun.sorts, wanted)]
        if not ends:
            return None
        places = [each for each in phrases[f"where.{'平' if tone == '仄' else '仄'}"] if each.suits(season, noun.sorts)]
        nouns.append(noun)
        lines.append((rng.choice(places).words if length == 7 else "") + noun.words + rng.choice(ends).words)
    if clash("".join(lines), title) or len({noun.sorts for noun in nouns}) < 3:
        return None
    text = f"{lines[0]}，\n{lines[1]}。\n{lines[2]}，\n{lines[3]}。"
    return POEM_KINDS[length], title, f"{nouns[0].words}；{nouns[2].words}", MOODS[mood], "中文", text


def clash(text: str, title: str) -> bool:
    """True when a character comes back, or two things meet that do not belong together."""
    for pair in TWICE:
        text = text.replace(pair, pair[0])
    if len(set(text)) < len(text):
        return True
    whole = set(text + title)
    return any(set(some) & whole and set(others) & whole for some, others in APART)


def different(n: int, make: Callable[[], Row | None]) -> list[Row]:
    """So many rows; no brief and no text stands in two of them."""
    rows: dict[str, Row] = {}
    briefs: set[Row] = set()
    while len(rows) < n:
        row = make()
        if row and row[-1] not in rows and row[:-1] not in briefs:
            rows[row[-1]] = row
            briefs.add(row[:-1])
    return list(rows.values())


def write_rows(rng: random.Random) -> list[Row]:
    """Every brief with its text, in random order."""
    rows = []
    for (kind, language), n in N_TEXTS.items():
        sections = writer.read_sections(f"content_studio_{language}.txt")
        rows += different(n, partial(prose, kind, language, sections, rng))
    sections = writer.read_sections("content_studio_poem.txt")
    titles = dict(line.split(" = ") for line in sections["title"])
    for length, n in N_POEMS.items():
        rows += different(n, partial(poem, length, read_phrases(sections), titles, rng))
    rng.shuffle(rows)
    return rows


def main(target: Path = TARGET) -> None:
    """Write the file and say what is in it."""
    rows = write_rows(random.Random(SEED))
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", newline="") as file:
        heads = ("kind", "topic", "facts", "tone", "language", "text")
        csv.writer(file, lineterminator="\n").writerows([heads, *rows])
    print(f"{target}: {len(rows)} texts, {sum(N_POEMS.values())} poems, {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
