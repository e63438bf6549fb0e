"""Writes the sample data of the chatbot blueprint: conversations with the assistant of a small shop.

Source: sentences written by hand for this project (tools/blueprint_text/chatbot_*.txt), Apache-2.0.
"""

import json
import random
import re
from pathlib import Path

import message_writer as writer
from scene_writer import Scene, polished

SEED = 13
TARGET = Path(__file__).parents[1] / "src/windlass/blueprints/chatbot/data"
N_TALKS = {"en": 760, "zh": 480}
SPLITS = {"test": 0.11, "validation": 0.09}  # the rest is for training; a conversation lies in one of them
NAMED_SHARE, SYSTEM_SHARE, CLOSE_SHARE, SECOND_SHARE, NAME_SHARE = 0.6, 0.3, 0.25, 0.2, 0.18
MOST_TURNS = 6

Turn = tuple[str, str]


class Conversation:
    """A conversation as it goes on: a scene, and what was said in it."""

    def __init__(self, sections: dict[str, list[str]], rng: random.Random) -> None:
        self.sections, self.rng = sections, rng
        self.is_chinese = writer.is_chinese(sections["name"][0])
        self.scene = Scene(sections, "", rng)
        self.named = rng.random() < NAMED_SHARE
        name = self.scene.fact("name")
        self.scene.facts["who"] = (f"{name}，" if self.is_chinese else f", {name}") if self.named else ""
        self.turns: list[Turn] = []

    def play(self, section: str, n_turns: int) -> None:
        """The first turns of a section."""
        lines = [self.rng.choice(line.split(": ", 1)[1].split(" || ")) for line in self.sections[section]]
        for user, bot in list(zip(lines[::2], lines[1::2], strict=True))[:n_turns]:
            self.turns.append((self.scene.tell(user), self.scene.tell(bot)))

    def greet(self) -> None:
        """The first turn begins with a greeting, and with the name when it is told."""
        user, bot = self.turns[0]
        hello = self.rng.choice(self.sections["hello"])
        told = self.scene.tell(self.rng.choice(self.sections["named"])) if self.named else ""
        greeting = self.scene.tell(self.sections["greet.named" if self.named else "greet.plain"][0])
        name = self.scene.fact("name")
        bot = bot.replace(f"{name}，" if self.is_chinese else f", {name}", "", 1)
        gap = "" if self.is_chinese else " "
        self.turns[0] = (gap.join(part for part in (hello, told, user) if part), f"{greeting}{gap}{bot}")

    def messages(self) -> list[dict[str, str]]:
        said = [{"role": "system", "content": self.sections["system"][0]}] * (self.rng.random() < SYSTEM_SHARE)
        for user, bot in self.turns:
            said += [{"role": "user", "content": polished(user)}, {"role": "assistant", "content": polished(bot)}]
        return said


def conversation(sections: dict[str, list[str]], rng: random.Random) -> list[dict[str, str]]:
    """Two to six turns: one matter or two, a question about what was said before, a farewell."""
    talk = Conversation(sections, rng)
    flows = [name.removeprefix("flow.") for name in sections if name.startswith("flow.")]
    flow = rng.choice(flows)
    talk.play(f"flow.{flow}", rng.choice([1, 2, 2, 3]))
    played = len(talk.turns)
    if rng.random() < SECOND_SHARE:
        others = [other for other in flows if not shared(sections, flow, other)]
        talk.play(f"flow.{rng.choice(others)}", rng.choice([1, 2]))
    is_known = all(name in talk.scene.facts for name in slots(sections[f"recall.{flow}"]))
    if (len(talk.turns) == 1 or rng.random() < 0.6) and is_known and played + 1 <= MOST_TURNS:
        talk.play(f"recall.{flow}", 1)
    if len(talk.turns) == 1 or rng.random() < NAME_SHARE:
        talk.play("recall.named" if talk.named else "recall.plain", 1)
    if rng.random() < CLOSE_SHARE:
        talk.play("close", 1)
    talk.turns = talk.turns[:MOST_TURNS]
    talk.greet()
    return talk.messages()


def slots(lines: list[str]) -> set[str]:
    return set(re.findall(r"<(\w+)>", " ".join(lines)))


def shared(sections: dict[str, list[str]], one: str, other: str) -> set[str]:
    """What both flows would speak of: two matters in one conversation are about different things."""
    return (slots(sections[f"flow.{one}"]) & slots(sections[f"flow.{other}"])) - {"who", "name"}


def main(target: Path = TARGET) -> None:
    """Write the files and say what is in them."""
    rng = random.Random(SEED)
    talks: dict[str, None] = {}
    for language, n in N_TALKS.items():
        sections = writer.read_sections(f"chatbot_{language}.txt")
        wanted = len(talks) + n
        while len(talks) < wanted:
            row = {"messages": conversation(sections, rng)}
            talks[json.dumps(row, ensure_ascii=False, separators=(",", ":"))] = None
    lines = list(talks)
    rng.shuffle(lines)
    target.mkdir(parents=True, exist_ok=True)
    for split, share in {**SPLITS, "train": 1.0}.items():
        n = round(share * len(talks)) if split != "train" else len(lines)
        part, lines = lines[:n], lines[n:]
        (target / f"{split}.jsonl").write_text("".join(f"{line}\n" for line in part), encoding="utf-8")
        n_turns = sum(line.count('"role":"assistant"') for line in part)
        print(f"{target / split}.jsonl: {len(part)} conversations, {n_turns} answers")


if __name__ == "__main__":
    main()
