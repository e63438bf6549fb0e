"""A conversation so far: messages, each with a role and its content, as OpenAI's interface has them."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from windlass.errors import DataError
from windlass.kinds import text
from windlass.kinds.contract import Batch, Kind, is_missing, shown
from windlass.kinds.sketch import Sketch
from windlass.kinds.text_parts import joined
from windlass.records import Json

ROLES = ("system", "user", "assistant")
MAX_MESSAGES = 1_000


def check(value: Any) -> str | None:
    if is_missing(value):
        return None
    try:
        messages = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return f"is {shown(value)}, expected a list of messages"
    if not isinstance(messages, list) or not 0 < len(messages) <= MAX_MESSAGES:
        return f"is {shown(value)}, expected a list of 1 to {MAX_MESSAGES:,} messages"
    for number, message in enumerate(messages):
        fault = _fault(message)
        if fault:
            return f"message {number} {fault}"
    return None


def _fault(message: Any) -> str | None:
    if not isinstance(message, dict) or set(message) != {"role", "content"}:
        return "is not an object with 'role' and 'content'"
    if message["role"] not in ROLES:
        return f"has the role {shown(message['role'])}, expected one of 'system', 'user', 'assistant'"
    content = joined(message["content"])
    if not isinstance(content, str):
        return "has a content that is not text"
    return text.check(content)


def effort(value: Any) -> int:
    """Of all its texts; of JSON the text as it is."""
    if not isinstance(value, list):
        return text.effort(value)
    return sum(text.effort(joined(each.get("content"))) for each in value if isinstance(each, dict))


def read(value: Any, root: Path | None) -> str:
    """The messages as JSON with their texts read as `text` reads them; a missing conversation is empty."""
    if is_missing(value):
        return ""
    fault = check(value)
    if fault:
        raise DataError(f"chat {fault}")
    messages = json.loads(value) if isinstance(value, str) else value
    read = [{"role": each["role"], "content": text.read(joined(each["content"]), root)} for each in messages]
    return json.dumps(read, ensure_ascii=False)


def messages(value: str) -> list[Json]:
    """The messages of a read conversation."""
    return json.loads(value) if value else []


def as_text(value: str) -> str:
    """What was said, one line a message, as readers of plain text see it."""
    return "\n".join(f"{each['role']}: {each['content']}" for each in messages(value))


def fit(values: Iterable[str], form: str, options: Json) -> Json:
    """The forms of `text`, over what was said."""
    return text.fit((as_text(value) for value in values), form, options)


def encode(values: Sequence[str], state: Json) -> Batch:
    return text.encode([as_text(value) for value in values], state)


KIND = Kind(
    name="chat",
    forms=text.KIND.forms,
    check=check,
    read=read,
    fit=fit,
    encode=encode,
    portable=lambda value, root: None if is_missing(value) else messages(read(value, root)),
    sketch=Sketch(
        lambda values: text.learn(as_text(value) for value in values),
        lambda value, state: text.profile(as_text(value), state),
        text.traits,
    ),
    turns=messages,
    size=text.KIND.size,
    effort=effort,
)
