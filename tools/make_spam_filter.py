"""Writes the sample data of the spam-filter blueprint: wanted messages (ham) and unwanted ones (spam).

Source: sentences written by hand for this project (tools/blueprint_text/spam_filter.txt), Apache-2.0.
"""

import csv
import random
import re
from pathlib import Path

import message_writer as writer

SEED = 13
TARGET = Path(__file__).parents[1] / "src/windlass/blueprints/spam-filter/data/messages.csv"
N_MESSAGES = {"ham": 900, "spam": 160}
CHINESE_SHARE = 0.13
TWO_SENTENCES_SHARE = {"ham": 0.12, "spam": 0.08}
WRONG_LABEL_SHARE = 0.008
N_EXACT_DUPLICATES = 6
EMOJI = {"ham": ["😂", "👍", "❤️", "🙏", "😅", "🎉", "😴"], "spam": ["🎁", "💰", "🔥", "✅", "⚠️", "💋"]}
LINK_WORDS = ["k3x9", "parcel", "mybank", "claim24", "w1n", "account", "id-77", "promo", "zq8r", "post-track"]
LOOKALIKES = {"o": "0", "i": "1", "e": "3", "a": "@", "s": "$"}

Row = tuple[str, str]


def disguise(text: str, rng: random.Random) -> str:
    """The text as a spammer hides it from word lists: f r e e, fr33, C1aim."""
    words = text.split(" ")
    plain = [i for i, word in enumerate(words) if word.isalpha() and word.isascii() and len(word) > 3]
    for place in rng.sample(plain, min(2, len(plain))):
        word = words[place]
        if rng.random() < 0.3:
            words[place] = " ".join(word)
        else:
            words[place] = re.sub("[oieas]", lambda match: LOOKALIKES[match[0]], word, count=2)
    return " ".join(words)


def write_notice(base: str, sentences: dict[str, list[str]], rng: random.Random) -> str:
    """A message that a machine sends: no greeting around it and no slips in it."""
    text = writer.fill(base, sentences, rng)
    return text[0].upper() + text[1:]


def write_message(base: str, label: str, sentences: dict[str, list[str]], rng: random.Random) -> str:
    """A message around one sentence, with what may stand before and after it."""
    if base in sentences["ham.notice"]:
        return write_notice(base, sentences, rng)
    is_chinese = writer.is_chinese(base)
    if not is_chinese and rng.random() < TWO_SENTENCES_SHARE[label]:
        base = f"{base}{'' if base[-1] in '.!?' else '.'} {rng.choice(sentences[label])}"
    frame = "spam_" if label == "spam" else ""
    if not is_chinese and rng.random() < 0.28:
        base = f"{rng.choice(sentences[frame + 'opener.en'])} {base}"
    if not is_chinese and rng.random() < 0.28:
        base = f"{base} {rng.choice(sentences[frame + 'closer.en'])}"
    text = re.sub(r"\{\}", lambda _: rng.choice(LINK_WORDS), writer.fill(base, sentences, rng))
    if label == "spam" and rng.random() < 0.12:
        text = disguise(text, rng)
    return writer.type_like_a_person(text, EMOJI[label], rng)


def write_messages(sentences: dict[str, list[str]], rng: random.Random) -> list[Row]:
    """Every message, no two the same, then a few labels turned and a few messages twice."""
    rows = []
    for label, n in N_MESSAGES.items():
        n_chinese = round(n * CHINESE_SHARE)
        in_english = sentences[label] + sentences.get(f"{label}.notice", [])
        bases = writer.dealt(in_english, n - n_chinese, rng) + writer.dealt(sentences[f"{label}.zh"], n_chinese, rng)
        rows += [(write_message(base, label, sentences, rng), label) for base in bases]
    rows = sorted(set(rows))
    for place in rng.sample(range(len(rows)), round(len(rows) * WRONG_LABEL_SHARE)):
        text, label = rows[place]
        rows[place] = (text, "ham" if label == "spam" else "spam")
    rows += rng.sample(rows, N_EXACT_DUPLICATES)
    rng.shuffle(rows)
    return rows


def main(target: Path = TARGET) -> None:
    """Write the file and say what is in it."""
    rng = random.Random(SEED)
    rows = write_messages(writer.read_sections("spam_filter.txt"), rng)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("message", "label"), *rows])
    n_spam = sum(label == "spam" for _, label in rows)
    n_chinese = sum(writer.is_chinese(text) for text, _ in rows)
    print(f"{target}: {len(rows)} messages, {n_spam} spam, {n_chinese} with Chinese")


if __name__ == "__main__":
    main()
