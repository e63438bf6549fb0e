"""Writes the sample data of the ticket-tags blueprint: tickets that are about several things at once, with their tags.

A ticket has a story, which makes tags likely; each tag says one sentence: mostly one of its own, at times one that
another tag says, too. Sentences that only mention what a tag is about are no sign of it. Some tags are forgotten by who
tagged the tickets. So it is known how likely each tag is once a ticket was read (`oracle`), and what simple words tell
(`naive`): the data was fixed with these two before any learner saw it.

Source: sentences written for this project (tools/blueprint_text/ticket_tags.txt), Apache-2.0.
"""

import csv
import itertools
import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

import message_writer as writer
import numpy as np

from windlass.metrics.tags import MAP, MICRO_F1, TagMarks

SEED = 13
PRODUCT = Path(__file__).parents[1] / "src/windlass/blueprints/ticket-tags"
TARGET = PRODUCT / "data"
N_TICKETS, N_TEST = 2_400, 600
TAGS = ("billing", "bug", "cancel", "damaged", "delivery", "feature", "login", "praise", "refund", "urgent")
STORIES = {
    "money": (0.26, {"billing": 0.75, "refund": 0.45, "cancel": 0.20, "urgent": 0.12}),
    "parcel": (0.28, {"delivery": 0.62, "damaged": 0.45, "refund": 0.40, "urgent": 0.20, "praise": 0.05}),
    "app": (0.24, {"login": 0.45, "bug": 0.55, "feature": 0.20, "urgent": 0.30}),
    "leaving": (0.12, {"cancel": 0.80, "billing": 0.35, "feature": 0.35, "bug": 0.20}),
    "happy": (0.10, {"praise": 0.75, "feature": 0.45}),
}
"""Story -> its share of the tickets, and how likely each tag is in it; a tag that is not named is not in it."""
PAIRS = (("billing", "refund"), ("delivery", "damaged"), ("login", "bug"), ("feature", "cancel"))
SHARED, MENTIONED, FORGOTTEN, CHINESE, REMARK = 0.45, 0.6, 0.04, 0.25, 0.3
"""Of a tag with such a neighbour the share of sentences that both say; of tickets that mention what they are not about;
of tags that are forgotten; of tickets in Chinese, and with a remark that says nothing."""
KEYWORDS = {
    "billing": "bill|invoice|charged|price|账单|发票|扣",
    "bug": "crash|error|bug|崩溃|报错",
    "cancel": "cancel|subscription|contract|取消|订阅|合同",
    "damaged": "broken|damaged|cracked|坏|碎",
    "delivery": "parcel|package|courier|delivery|包裹|快递",
    "feature": "add|wish|suggestion|建议|希望",
    "login": "sign in|password|account|登录|密码|账号",
    "praise": "thank|love|谢谢|喜欢",
    "refund": "refund|money back|退款|退",
    "urgent": "urgent|hurry|today|急|尽快",
}
"""What somebody would look for who has read no ticket."""


@dataclass(frozen=True)
class Ticket:
    """own: tags whose own sentences it has; shared: pairs of which either may have said one, as often as it stands
    there; tags: as they were noted down, some of them forgotten."""

    text: str
    own: frozenset[str]
    shared: tuple[tuple[str, str], ...]
    tags: tuple[str, ...]


def ticket(texts: dict[str, list[str]], rng: random.Random) -> Ticket:
    story = rng.choices([*STORIES], [share for share, _ in STORIES.values()])[0]
    chances = STORIES[story][1]
    about = [tag for tag in TAGS if rng.random() < chances.get(tag, 0.0)]
    language = "zh" if rng.random() < CHINESE else "en"
    own, shared, said = set[str](), [], []
    for tag in about:
        pair = next((pair for pair in PAIRS if tag in pair), None)
        if pair is not None and rng.random() < SHARED:
            shared.append(pair)
            said.append(rng.choice(texts[f"both.{'+'.join(pair)}.{language}"]))
        else:
            own.add(tag)
            said.append(rng.choice(texts[f"{tag}.{language}"]))
    mentioned = [name.split(".")[1] for name in texts if name.startswith("other.") and name.endswith(language)]
    free = [tag for tag in mentioned if tag not in about]
    if rng.random() < MENTIONED:
        said.append(rng.choice(texts[f"other.{rng.choice(free)}.{language}"]))
    if not said or rng.random() < REMARK:
        said.append(rng.choice(texts[f"neutral.{language}"]))
    rng.shuffle(said)
    between = "。" if language == "zh" else rng.choice([". ", ". ", "; ", " - "])
    text = between.join(writer.fill(each, {}, rng) for each in said)
    return Ticket(
        writer.type_like_a_person(text, ["🙏", "😡", "😅"], rng),
        frozenset(own),
        tuple(shared),
        tuple(tag for tag in about if rng.random() >= FORGOTTEN),
    )


def tickets(n: int, seed: int) -> list[Ticket]:
    texts, rng = writer.read_sections("ticket_tags.txt"), random.Random(seed)
    return [ticket(texts, rng) for _ in range(n)]


def oracle(found: Ticket) -> np.ndarray:
    """(k,) how likely each tag was noted down, for who knows how tickets come about; what is only mentioned is left
    out, though it tells a little, too."""
    twice = [pair for pair in PAIRS if found.shared.count(pair) == 2]
    once = [pair for pair in PAIRS if found.shared.count(pair) == 1]
    sure = {*found.own, *itertools.chain(*twice)}
    weights, totals = [], np.zeros(len(TAGS))
    for chosen in itertools.product(*once):
        about = {*sure, *chosen}
        if len(about) < len(sure) + len(chosen):
            continue  # a tag says one sentence
        said = np.prod([
            SHARED if tag not in found.own else 1 - SHARED for tag in about if any(tag in pair for pair in PAIRS)
        ])  # fmt: skip
        for share, chances in STORIES.values():
            weight = (
                share
                * said
                * np.prod([chances.get(tag, 0.0) if tag in about else 1 - chances.get(tag, 0.0) for tag in TAGS])
            )
            weights.append(weight)
            totals += weight * np.array([tag in about for tag in TAGS])
    return (1 - FORGOTTEN) * totals / sum(weights)


def naive(found: Ticket) -> np.ndarray:
    """(k,) 1 where one of a tag's words stands in the ticket."""
    return np.array([float(bool(re.search(KEYWORDS[tag], found.text.lower()))) for tag in TAGS])


def marks(found: list[Ticket], probabilities: np.ndarray, threshold: float) -> TagMarks:
    truth = np.array([[tag in each.tags for tag in TAGS] for each in found])
    return TagMarks(truth, probabilities, np.full(len(TAGS), threshold), TAGS)


def bounds(found: list[Ticket]) -> dict[str, dict[str, float]]:
    """Metric -> what a constant, the words and the oracle reach on these tickets."""
    truth = np.array([[tag in each.tags for tag in TAGS] for each in found])
    prior = np.tile(truth.mean(axis=0), (len(found), 1))
    told = {
        "constant": max((marks(found, prior, share) for share in np.unique(prior)), key=lambda at: at.value(MICRO_F1)),
        "naive": marks(found, np.array([naive(each) for each in found]), 0.5),
        "oracle": marks(found, np.array([oracle(each) for each in found]), 0.45),
    }
    return {metric: {name: each.value(metric) for name, each in told.items()} for metric in (MICRO_F1, MAP)}


def main(target: Path = TARGET) -> None:
    """Write train and test, and say what can be reached on them."""
    target.mkdir(parents=True, exist_ok=True)
    for name, n, seed in (("train", N_TICKETS, SEED), ("test", N_TEST, SEED + 1)):
        made = tickets(n, seed)
        with (target / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            rows = [(each.text, ";".join(each.tags) or "[]") for each in made]
            csv.writer(file, lineterminator="\n").writerows([("message", "tags"), *rows])
        print(name, len(made), json.dumps(bounds(made), indent=1))


if __name__ == "__main__":
    main()
