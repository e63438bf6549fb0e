"""Asks for product.yaml in plain questions: each says why it is asked, each has a default, an empty answer takes it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from windlass.errors import SpecError
from windlass.planning.product import FILE_NAME, Product, load
from windlass.records import Json
from windlass.store import write_text
from windlass.strict_yaml import parse

QUESTIONS = (
    ("currency", "Which currency do you count in?", "every amount below is in it"),
    (
        "requests_a_day",
        "How many answers are asked for on a usual day?",
        "it scales what quality is worth and what runs",
    ),
    (
        "peak_a_second",
        "How many in the busiest second?",
        "it decides how many machines you need; empty: ten times the mean",
    ),
    ("right_value", "What is one right answer worth to you?", "for instance the minutes of work that it saves"),
    (
        "wrong_cost",
        "What does one wrong answer cost you?",
        "for instance the minutes to mend it, or a lost customer's share",
    ),
    (
        "case_minutes",
        "How many minutes does a person need for one case?",
        "what is unsure can go to a person; that has a price",
    ),
    ("person_wrong", "What share of the cases does a person get wrong (0-1)?", "people err too: 0.02 is one in fifty"),
    (
        "hour_cost",
        "What does an hour of your people's work cost?",
        "their hours are counted against what an item earns",
    ),
    ("people", "How many people can work on the product?", "one person alone is a risk of its own"),
    ("hours_a_week", "How many hours a week have they for it, all together?", "it decides when things are done"),
    ("budget", "How much money may the plan spend?", "on labels, machines and outside help, not on your own people"),
    ("label_cost", "What does one more labelled row cost?", "empty: as the price list says; 0: your own people label"),
    ("rows_a_week", "How many rows can be collected and labelled in a week?", "it decides when more data is there"),
    (
        "deadline",
        "By when has it to be done (such as 2027-03-01)?",
        "what cannot be done by then is left out; empty: in six months",
    ),
    ("upkeep_hours", "How many hours a month does running the service take?", "for the comparison with an API"),
    (
        "sensitive",
        "Which input columns mark groups that must be treated alike (with commas)?",
        "their groups are compared",
    ),
)
"""Key, question, why it is asked."""


def ask(folder: Path, columns: Sequence[str], asked: Callable[..., str], say: Callable[[str], None]) -> Path:
    """Asks every question and writes product.yaml; what stands there already is the default. A wrong answer is asked
    again.

    Args: asked: as `typer.prompt`: shows a question and gives the answer typed, empty for the default.
    """
    known = load(folder, list(columns))
    values = known.model_dump(exclude_unset=True)
    say("An empty answer takes what stands in brackets.")
    for key, question, why in QUESTIONS:
        if key == "sensitive":
            say(f"columns: {', '.join(columns)}")
        while True:
            usual = _shown(values.get(key, _default(key)))
            text = asked(f"{question} ({why}) [{usual}]", default="", show_default=False).strip()
            if not text:
                break
            try:
                values[key] = _read(key, text, {**values}, columns)
                break
            except SpecError as error:
                say(str(error))
    path = folder / FILE_NAME
    write_text(path, yaml.safe_dump(values, sort_keys=False, allow_unicode=True) if values else "people: 1\n")
    say(f"{path} is written; edit it at any time, and run `windlass plan` again.")
    return path


def _default(key: str) -> object:
    return Product.model_fields[key].get_default(call_default_factory=True)


def _shown(value: object) -> str:
    if value in (None, [], ""):
        return "none"
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _read(key: str, text: str, values: Json, columns: Sequence[str]) -> object:
    """The answer as product.yaml would hold it. Raises: SpecError: it does not fit."""
    if key == "sensitive":
        found: object = [name.strip() for name in text.split(",") if name.strip()]
        unknown = [name for name in found if name not in columns] if isinstance(found, list) else []
        if unknown:
            raise SpecError(f"column is '{unknown[0]}', expected one of {', '.join(columns)}")
    elif key in ("currency", "deadline"):
        found = text
    else:
        found = text.replace(",", "")
    line = yaml.safe_dump({key: found}, allow_unicode=True) if isinstance(found, list) else f"{key}: {found}\n"
    if key == "currency":
        line = yaml.safe_dump({key: found})
    return getattr(parse(Product, line, "the answer"), key)
