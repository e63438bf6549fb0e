"""Asks for product.yaml in plain questions: each says why it is asked, each has a default, an empty answer takes it."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from typer import Abort

from windlass.errors import SpecError, did_you_mean, expected
from windlass.planning.product import FILE_NAME, Product, load
from windlass.records import Json
from windlass.store.files import rewrite_text
from windlass.strict_yaml import checked, parse

QUESTIONS = (
    ("currency", "Which currency do you count in?", "every amount below is in it"),
    ("users", "How many people use the product?", "what it costs is told for each of them, too"),
    (
        "requests_a_day",
        "How many answers are asked for on a usual day?",
        "it scales what quality is worth and what runs",
    ),
    ("peak_a_second", "How many in the busiest second?", "it decides how many machines you need"),
    ("machines", "How many machines serve today?", "more are proposed when the peak needs them"),
    ("workers", "With how many processes each (`windlass serve --workers`)?", "a process keeps one core busy"),
    ("right_value", "What is one right answer worth to you?", "for instance the minutes of work that it saves"),
    (
        "wrong_cost",
        "What does one wrong answer cost you?",
        "for instance the minutes to mend it, or a lost customer's share",
    ),
    (
        "api_thousand",
        "What would 1,000 answers cost from an API that you could buy instead?",
        "the plan says from which traffic on your own model is cheaper",
    ),
    (
        "case_minutes",
        "How many minutes does a person need for one case?",
        "what is unsure can go to a person; that has a price",
    ),
    ("person_wrong", "What share of the cases does a person get wrong?", "people err too: 0.02 or 2 % is one in fifty"),
    (
        "hour_cost",
        "What does an hour of your people's work cost?",
        "their hours are counted against what an item earns",
    ),
    ("people", "How many people can work on the product?", "one person alone is a risk of its own"),
    ("hours_a_week", "How many hours a week have they for it, all together?", "it decides when things are done"),
    ("budget", "How much money may the plan spend?", "on labels, machines and outside help, not on your own people"),
    ("label_cost", "What does one more labelled row cost?", "0: your own people label"),
    ("rows_a_week", "How many rows can be collected and labelled in a week?", "it decides when more data is there"),
    ("deadline", "By when has it to be done (such as 2027-03-01)?", "what cannot be done by then is left out"),
    ("upkeep_hours", "How many hours a month does running the service take?", "for the comparison with an API"),
    (
        "sensitive",
        "Which input columns mark groups that must be treated alike (with commas)?",
        "their groups are compared",
    ),
)
"""Key, question, why it is asked."""
UNSAID = {
    "users": "not said",
    "peak_a_second": "ten times the mean of a day",
    "api_thousand": "by tokens, as the price list says",
    "label_cost": "as the price list says",
    "deadline": "in six months",
    "sensitive": "none",
}
"""What an empty answer means where there is no figure."""
TAKEN_BACK = ("none", "-", "无", "没有")
WHOLE = ("users", "people", "machines", "workers")
PLAIN_COMMAS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
DECIMAL_COMMA = re.compile(r"-?(\d+|\d{1,3}(\.\d{3})+),\d+")
DAY = re.compile(r"(\d{4})\D(\d{1,2})\D(\d{1,2})\D?")


def ask(folder: Path, columns: Sequence[str], asked: Callable[..., str], say: Callable[..., None]) -> Path:
    """Asks every question and writes product.yaml; what stands there already is the default. A wrong answer is asked
    again; who stops in between loses nothing that was said.

    Args: asked, say: as `typer.prompt` and `typer.echo`; all goes to stderr.
    Raises: Abort: the person stopped (Ctrl-C, or no more input).
    """
    path, say = folder / FILE_NAME, partial(say, err=True)
    known: Json = load(folder, list(columns)).model_dump(exclude_unset=True)
    values = dict(known)
    questions = [each for each in QUESTIONS if each[0] != "sensitive" or len(columns) > 1]
    say(f"{len(questions)} questions. Enter takes what stands in brackets, 'none' takes an answer back, Ctrl-C stops "
        "and keeps what was said.")  # fmt: skip
    try:
        for number, (key, question, why) in enumerate(questions, 1):
            say(f"\n{number:>2}/{len(questions)}  {question}\n       {why}")
            if key == "sensitive":
                say(f"       columns: {', '.join(columns)}")
            _answered(key, values, columns, asked, say)
    except Abort:
        say("")
        _keep(path, known, values, say)
        raise
    say("")
    _keep(path, known, values, say)
    return path


def _answered(
    key: str, values: Json, columns: Sequence[str], asked: Callable[..., str], say: Callable[..., None]
) -> None:
    """Asks until the answer fits, and puts it among the values."""
    while True:
        usual = _shown(key, values.get(key, Product.model_fields[key].get_default(call_default_factory=True)))
        typed = asked(f"       [{usual}]", default="", show_default=False, err=True)
        text = unicodedata.normalize("NFKC", typed).strip()
        if not text:
            return
        if text.lower() in TAKEN_BACK:
            values.pop(key, None)
            return
        try:
            values[key] = _read(key, text, columns)
        except SpecError as error:
            say(f"       {error.message}" + (f"; {error.hint}" if error.hint else ""))
            continue
        if _shown(key, values[key]) != text:
            say(f"       read as {_shown(key, values[key])}")
        return


def _shown(key: str, value: object) -> str:
    if value in (None, [], ""):
        return UNSAID.get(key, "none")
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _read(key: str, text: str, columns: Sequence[str]) -> object:
    """The answer as product.yaml would hold it. Raises: SpecError: it does not fit."""
    value: object = text
    if key == "sensitive":
        value = _columns(text, columns)
    elif key == "deadline":
        value = _day(text)
    elif key != "currency":
        value = _number(text)
        value = int(value) if key in WHOLE and value.is_integer() else value
    try:
        return getattr(checked(Product, {key: value}, "answer"), key)
    except SpecError as error:
        raise SpecError(f"'{text}' does not fit, expected{error.message.rpartition('expected')[2]}") from None


def _columns(text: str, columns: Sequence[str]) -> list[str]:
    names = [name.strip() for name in re.split("[,;、]", text) if name.strip()]
    for name in names:
        if name not in columns:
            raise SpecError(f"'{name}' is no column, expected {expected(columns)}", did_you_mean(name, columns))
    return names


def _day(text: str) -> date:
    found = DAY.fullmatch(text)
    try:
        day = date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        day = None
    if day is None:
        raise SpecError(f"'{text}' is no day, expected one such as 2027-03-01")
    if day <= datetime.now(UTC).date():
        raise SpecError(f"{day} is over, expected a day to come")
    return day


def _number(text: str) -> float:
    """A number as people write it: 2,500 or 2'500 or 2 500, with a decimal point or comma, a share as 2 %."""
    bare = re.sub(r"(?<=\d)['_ ](?=\d{3}\b)", "", text.removesuffix("%").strip(" €$£¥"))
    if PLAIN_COMMAS.fullmatch(bare):
        bare = bare.replace(",", "")
    elif DECIMAL_COMMA.fullmatch(bare):
        bare = bare.replace(".", "").replace(",", ".")
    if not re.fullmatch(r"-?(\d+(\.\d*)?|\.\d+)", bare, re.ASCII):
        raise SpecError(f"'{text}' is no number, expected one such as 1200 or 0.5")
    return float(bare) / (100 if text.endswith("%") else 1)


def _keep(path: Path, known: Json, values: Json, say: Callable[..., None]) -> None:
    """Writes what was said, where anything was."""
    if values == known:
        say(f"Nothing new was said; {path} stays as it is." if path.is_file() else "Nothing was said; all is assumed.")
        return
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    rewrite_text(path, _edited(before, known, values) or yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
    say(f"{path} is written; edit it at any time, and run `windlass plan` again.")


def _edited(text: str, known: Json, values: Json) -> str:
    """The file with what is new, its comments kept; empty where it has to be written anew."""
    if not text:
        return ""
    for key in [key for key in {**known, **values} if known.get(key) != values.get(key)]:
        found = re.search(rf"^{key}:[^\n#]*", text, re.MULTILINE)
        if key not in values:
            text = re.sub(rf"^{key}:.*\n?", "", text, flags=re.MULTILINE)
        elif found:
            line = f"{key}: {_yaml(values[key])}"
            text = text[: found.start()] + line.ljust(max(len(found[0]), len(line) + 1)) + text[found.end() :]
        else:
            text = text.rstrip("\n") + f"\n{key}: {_yaml(values[key])}\n"
    try:
        same = parse(Product, text, FILE_NAME).model_dump(exclude_unset=True) == values
    except SpecError:
        same = False
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE) if same else ""


def _yaml(value: Any) -> str:
    """A value on one line of YAML."""
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return str(yaml.safe_dump(whole, default_flow_style=True, allow_unicode=True)).removesuffix("...\n").strip()
