"""Writes the sample data of the support-desk blueprint: customer messages and their intents, at first and later on.

Source: sentences written by hand for this project (tools/blueprint_text/support_desk_*.txt), Apache-2.0.
"""

import csv
import json
import random
from pathlib import Path

import message_writer as writer

SEED = 13
PRODUCT = Path(__file__).parents[1] / "src/windlass/blueprints/support-desk"
TARGET, LATER = PRODUCT / "data/tickets.csv", PRODUCT / "later.jsonl"
N_MESSAGES = {
    "order_status": 310, "late_delivery": 255, "return_item": 215, "refund_status": 190,
    "product_question": 165, "wrong_item": 145, "damaged_item": 135, "cancel_order": 120,
    "exchange_size": 110, "warranty_repair": 100, "payment_failed": 90, "stock_availability": 82,
    "coupon_problem": 75, "change_address": 68, "password_reset": 62, "human_agent": 56,
    "invoice_request": 50, "double_charge": 44, "account_locked": 36, "delete_account": 31,
}  # fmt: skip
MIX_UPS = {
    "order_status": "late_delivery", "late_delivery": "order_status", "return_item": "refund_status",
    "refund_status": "return_item", "wrong_item": "exchange_size", "damaged_item": "warranty_repair",
    "warranty_repair": "damaged_item", "exchange_size": "return_item", "payment_failed": "double_charge",
    "double_charge": "refund_status", "password_reset": "account_locked",
    "account_locked": "password_reset", "cancel_order": "return_item",
    "product_question": "stock_availability", "stock_availability": "product_question",
}  # fmt: skip
N_WEEKS, N_A_WEEK, CHANGES_AFTER = 8, 160, 3
"""Of what comes later: after so many weeks there are gift cards, and lockers for parcels."""
SHARES_LATER = {"gift_card": 0.22, "return_item": 0.12, "order_status": 0.06}
CHINESE_SHARE = 0.16
SECOND_SENTENCE_SHARE = 0.3
WRONG_LABEL_SHARE = 0.015
NEAR_DUPLICATE_SHARE = 0.03
N_EXACT_DUPLICATES = 8
EMOJI = ["😡", "😢", "🙏", "😅", "🤔", "👍", "😊", "❤️", "🙄", "📦"]

Row = tuple[str, str]


def ended(sentence: str, rng: random.Random) -> str:
    """The sentence with a mark at its end, so that another may follow."""
    return sentence if sentence[-1] in ".!?。！？" else sentence + rng.choice([".", ".", "!", ",", " -"])


def said_twice(base: str, other: str, rng: random.Random) -> str:
    """Two sentences on the same matter, the way people say what happened and then what they want."""
    return base if other == base else f"{ended(base, rng)} {other}"


def english(base: str, frames: dict[str, list[str]], rng: random.Random) -> str:
    """A message around one English sentence: bare, with a greeting, with side remarks, or a long story."""
    shape = rng.choices(["bare", "framed", "remark", "rant"], [48, 32, 17, 3])[0]
    if shape == "bare":
        return base
    before, after = [], []
    if rng.random() < 0.6:
        before.append(rng.choice(frames["opener.en"]))
    if rng.random() < 0.6:
        after.append(rng.choice(frames["closer.en"]))
    if shape == "remark":
        rng.choice([before, after]).append(rng.choice(frames["aside.en"]))
    if shape == "rant":
        story = rng.sample(frames["rant.en"], rng.randint(3, 6))
        cut = rng.randint(0, len(story))
        before, after = before + story[:cut], story[cut:] + after
    body = ended(base, rng) if after else base
    return " ".join([*before, body, *after])


def chinese(base: str, frames: dict[str, list[str]], rng: random.Random) -> str:
    """A message around one Chinese or mixed sentence."""
    text = base
    if rng.random() < 0.25:
        text = rng.choice(frames["aside.zh"]) + text
    if rng.random() < 0.35:
        text = rng.choice(frames["opener.zh"]) + text
    if rng.random() < 0.35:
        text = text.rstrip("？") + rng.choice(frames["closer.zh"])
    if rng.random() < 0.06:
        text = "".join([*rng.sample(frames["rant.zh"], 2), text])
    return text


def write_messages(frames: dict[str, list[str]], rng: random.Random) -> list[Row]:
    """Every message with its true intent, before copies and slips of the labellers."""
    in_english, in_chinese = (writer.read_sections(f"support_desk_{code}.txt") for code in ("en", "zh"))
    rows = []
    for intent, n in N_MESSAGES.items():
        n_chinese = round(n * CHINESE_SHARE)
        bases = writer.dealt(in_english[intent], n - n_chinese, rng) + writer.dealt(in_chinese[intent], n_chinese, rng)
        for base in bases:
            others = (in_chinese if writer.is_chinese(base) else in_english)[intent]
            rows.append((message(base, others, frames, rng), intent))
    return rows


def message(base: str, others: list[str], frames: dict[str, list[str]], rng: random.Random) -> str:
    """A message as a person might type it around a sentence, and at times around another one on the same matter."""
    frame = chinese if writer.is_chinese(base) else english
    if rng.random() < SECOND_SENTENCE_SHARE:
        base = said_twice(base, rng.choice(others), rng)
    text = writer.fill(frame(base, frames, rng), frames, rng)
    return writer.type_like_a_person(text, EMOJI, rng)


def write_later(frames: dict[str, list[str]], rng: random.Random) -> list[dict[str, object]]:
    """Messages of the weeks after the launch: at first as the tickets were, then about new things as well."""
    texts = [writer.read_sections(f"support_desk_{name}.txt") for name in ("en", "zh", "later")]
    rows: list[dict[str, object]] = []
    for week in range(1, N_WEEKS + 1):
        shares = SHARES_LATER if week > CHANGES_AFTER else {}
        for _ in range(N_A_WEEK):
            about = rng.choices([*shares, ""], [*shares.values(), 1 - sum(shares.values())])[0]
            intent = about or rng.choices([*N_MESSAGES], [*N_MESSAGES.values()])[0]
            sentences = texts[2 if about else rng.random() < CHINESE_SHARE][intent]
            base = rng.choice(sentences)
            same = [other for other in sentences if writer.is_chinese(other) == writer.is_chinese(base)]
            rows.append({"week": week, "message": message(base, same, frames, rng), "intent": intent})
    return rows


def mislabel(rows: list[Row], rng: random.Random) -> list[Row]:
    """The rows with a few wrong intents, most of them the neighbour that a tired person would pick."""
    wrong = set(rng.sample(range(len(rows)), round(len(rows) * WRONG_LABEL_SHARE)))
    labelled = []
    for place, (text, intent) in enumerate(rows):
        if place in wrong:
            others = sorted(set(N_MESSAGES) - {intent})
            intent = MIX_UPS.get(intent, "order_status") if rng.random() < 0.7 else rng.choice(others)
        labelled.append((text, intent))
    return labelled


def with_copies(rows: list[Row], rng: random.Random) -> list[Row]:
    """The rows, and some again: sent twice as they were, or once more with a slip or a nudge."""
    n_near = round(len(rows) * NEAR_DUPLICATE_SHARE)
    near = []
    for text, intent in rng.sample(rows, n_near):
        again = [writer.misspell(text, 1, rng), f"{text} ??", f"again: {text}", text.lower()]
        near.append((rng.choice([copy for copy in again if copy != text]), intent))
    return rows + near + rng.sample(rows, N_EXACT_DUPLICATES)


def main() -> None:
    """Write the file and say what is in it."""
    rng = random.Random(SEED)
    frames = writer.read_sections("support_desk_frames.txt")
    rows = with_copies(mislabel(write_messages(frames, rng), rng), rng)
    rng.shuffle(rows)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with TARGET.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("message", "intent"), *rows])
    share = sum(writer.is_chinese(text) for text, _ in rows) / len(rows)
    print(f"{TARGET}: {len(rows)} messages, {len(N_MESSAGES)} intents, {share:.0%} with Chinese")
    later = write_later(frames, random.Random(SEED + 1))
    LATER.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in later), encoding="utf-8")
    print(f"{LATER}: {len(later)} messages of {N_WEEKS} weeks")


if __name__ == "__main__":
    main()
