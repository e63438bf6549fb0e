"""Conversations as rows: one for each answer of the assistant, with all that was said before it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from windlass.kinds import chat
from windlass.kinds.contract import shown
from windlass.sources.contract import Names, RawRow, Source

SHARE_GPT = "conversations"
SPEAKERS = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "bot": "assistant",
    "system": "system",
}
"""Who speaks in the ShareGPT form -> the role."""


def split(source: Source) -> Source:
    """The same source with its whole conversations in rows of what was said and the answer to it.

    The rows of a conversation are a group: what one of them asks for stands in the history of the next. A row that has
    the output column already stays as it is. `{"conversations": [{"from": "human", "value": ...}]}`
    (ShareGPT) is read as well.
    """

    def read(inner: Source) -> Iterator[RawRow]:
        n_open = 0
        for raw in source.read(inner):
            row = _with_roles(raw, inner.names)
            if row.values is None or inner.names.label in row.values or inner.names.chat not in row.values:
                yield row
                continue
            rows = list(_answers(replace(row, group=f"{inner.path.name}:{row.number}"), inner.names))
            n_open += rows[0].values is not None and _parsed(row.values[inner.names.chat])[-1]["role"] == "user"
            yield from rows
        if n_open:
            inner.warnings.append(
                f"{n_open:,} conversations of {inner.path.name} end with a message that nobody answers: "
                "it was left out, and what was answered before it was kept"
            )

    return replace(source, read=read)


def _with_roles(raw: RawRow, names: Names) -> RawRow:
    """The row with its conversation in the named column, each message with role and content."""
    if raw.values is None:
        return raw
    column = names.chat if names.chat in raw.values else SHARE_GPT
    try:
        messages = _parsed(raw.values.get(column))
    except (ValueError, RecursionError):
        return raw
    if not isinstance(messages, list) or not all(isinstance(each, dict) and "from" in each for each in messages):
        return raw
    values = {name: value for name, value in raw.values.items() if name != SHARE_GPT}
    values[names.chat] = [
        {"role": SPEAKERS.get(str(each["from"]).lower(), each["from"]), "content": each.get("value")}
        for each in messages
    ]
    return replace(raw, values=values)


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _answers(row: RawRow, names: Names) -> Iterator[RawRow]:
    """One row an answer; a conversation that cannot be read, or in which nothing is answered, is a fault."""
    assert row.values is not None
    value = row.values[names.chat]
    fault = chat.check(value) or (None if value else "is missing, expected a list of messages")
    if fault:
        yield RawRow(row.number, None, f"column '{names.chat}': {fault}", shown(value))
        return
    messages = _parsed(value)
    n_found = 0
    for place, message in enumerate(messages):
        before = messages[:place]
        if message["role"] != "assistant" or not any(each["role"] == "user" for each in before):
            continue
        n_found += 1
        history = sorted(before, key=lambda each: each["role"] != "system")
        yield replace(row, values={**row.values, names.chat: history, names.label: message["content"]})
    if not n_found:
        fault = f"column '{names.chat}' has no answer of the assistant to a user, expected one to learn from"
        yield RawRow(row.number, None, fault, shown(value))
