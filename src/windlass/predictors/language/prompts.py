"""Rows as the token ids that a language model continues, and back: the same in training and in serving.

What a user writes is always ordinary text: control tokens come from the artifact's own template alone, so that a
user who types `<|end|>` has typed seven characters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from windlass.errors import DataError, NotReady
from windlass.kinds import chat
from windlass.kinds import table as kinds
from windlass.records import Column, Json, Row

ROLES = chat.ROLES
Ids = list[int]


@dataclass(frozen=True)
class Template:
    """The control tokens around what is said.

    start: before all. roles: role -> (before, after) a message. answer: before the answer. end: ids that end one.
    most: tokens of a prompt; what is longer loses its oldest messages, or the end of its text.
    default: what stands where no system message is given.
    """

    start: Ids = field(default_factory=list)
    roles: Mapping[str, tuple[Ids, Ids]] = field(default_factory=dict)
    answer: Ids = field(default_factory=list)
    end: Ids = field(default_factory=list)
    most: int = 1_024
    default: Ids = field(default_factory=list)

    def as_json(self) -> Json:
        roles = {role: [list(before), list(after)] for role, (before, after) in self.roles.items()}
        return {
            "start": self.start,
            "roles": roles,
            "answer": self.answer,
            "end": self.end,
            "most": self.most,
            "default": self.default,
        }

    @classmethod
    def from_json(cls, values: Json) -> "Template":
        """Raises: DataError: damaged."""
        try:
            roles = {str(role): (_ids(pair[0]), _ids(pair[1])) for role, pair in values["roles"].items()}
            start, answer, end = (_ids(values[name]) for name in ("start", "answer", "end"))
            return cls(start, roles, answer, end, int(values["most"]), _ids(values.get("default", ())))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise DataError(f"manifest.json: template is damaged ({str(error)[:80]}), expected token ids") from None


def _ids(values: Any) -> Ids:
    found = [int(value) for value in values]
    if any(value < 0 for value in found):
        raise ValueError("negative id")
    return found


@dataclass(frozen=True)
class Prompt:
    """The ids of a prompt, and how many of its tokens had to go."""

    ids: Ids
    n_cut: int = 0


class Prompts:
    """Makes prompts of rows with a tokenizer and a template."""

    def __init__(self, tokenizer: Any, template: Template, columns: Sequence[Column]) -> None:
        self.tokenizer, self.template, self.columns = tokenizer, template, columns

    def of(self, row: Row) -> Prompt:
        """Raises: DataError: a message has a role that the template lacks."""
        return self.after(messages(row, self.columns))

    def after(self, said: Sequence[Json]) -> Prompt:
        """The prompt for an answer to these messages. Raises: as `of`."""
        for message in said:
            if message["role"] not in self.template.roles:
                raise DataError(f"message has the role '{message['role']}', which this model was not taught")
        parts = [self._message(message["role"], message["content"]) for message in said]
        has_system = bool(said) and said[0]["role"] == "system"
        start = [*self.template.start, *(() if has_system else self.template.default)]
        room = self.template.most - len(start) - len(self.template.answer)
        total = sum(map(len, parts))
        while len(parts) > 1 and sum(map(len, parts)) > room:
            parts.pop(1 if has_system and len(parts) > 2 else 0)
        kept = [self._cut(part, room) for part in parts]
        inside = [number for part in kept for number in part]
        return Prompt([*start, *inside, *self.template.answer], total - len(inside))

    def plain(self, content: str) -> tuple[Ids, list[int]]:
        """The ids of a text as it stands, without roles, after those that begin any; and the characters before each.

        Raises: DataError: it has no tokens, or does not fit.
        """
        encoding = self.tokenizer.encode(content, add_special_tokens=False)
        n_tokens, most = len(encoding.ids), self.template.most - len(self.template.start)
        if not 0 < n_tokens <= most:
            raise DataError(f"prompt has {n_tokens:,} tokens, expected 1 to {most:,}: of an echo nothing is cut")
        ends = [0, *(end for _, end in encoding.offsets)]
        offsets = [min(begin, end) for (begin, _), end in zip(encoding.offsets, ends, strict=False)]  # not trimmed
        return [*self.template.start, *encoding.ids], offsets

    def given(self, ids: Ids) -> tuple[str, list[int]]:
        """The text of ids that were given as they stand, and the characters before each.

        Raises: DataError: there are none, they do not fit, or one is not of this model.
        """
        most, known = self.template.most, self.tokenizer.get_vocab_size()
        if not 0 < len(ids) <= most:
            raise DataError(f"prompt has {len(ids):,} tokens, expected 1 to {most:,}: of an echo nothing is cut")
        if odd := [number for number in ids if not 0 <= number < known]:
            raise DataError(f"prompt has the token id {odd[0]}, expected 0 to {known - 1:,}")
        names = [self.tokenizer.decode([number], skip_special_tokens=False) for number in ids]
        offsets = list(accumulate(map(len, names), initial=0))[: len(ids)]
        return self.tokenizer.decode(ids, skip_special_tokens=False), offsets

    def text(self, content: str) -> Ids:
        """The ids of ordinary text."""
        return list(self.tokenizer.encode(content, add_special_tokens=False).ids)

    def _message(self, role: str, content: str) -> Ids:
        before, after = self.template.roles[role]
        return [*before, *self.text(content), *after]

    def _cut(self, part: Ids, room: int) -> Ids:
        """The message without the end of its text, when it does not fit."""
        after = next((tail for _, tail in self.template.roles.values() if tail and part[-len(tail) :] == tail), [])
        return part if len(part) <= room else [*part[: max(0, room - len(after))], *after]


def messages(row: Row, columns: Sequence[Column]) -> list[Json]:
    """The conversation of a row: its chat column, or one user message of its other columns; none when all are empty."""
    turns = {column.name: kinds.get(column.kind).turns for column in columns}
    talk = [message for name, read in turns.items() if read is not None for message in read(row[name] or "")]
    rest = {name: row[name] for name, read in turns.items() if read is None}
    content = source(rest)
    return [*talk, {"role": "user", "content": content}] if content else talk


def source(values: Mapping[str, Any]) -> str:
    """The columns as one text: a single one as it is, several with their names."""
    said = {name: str(value) for name, value in values.items() if value not in (None, "")}
    if len(values) == 1:
        return next(iter(said.values()), "")
    return "\n".join(f"{name}: {value}" for name, value in said.items())


def open_tokenizer(path: Path) -> Any:
    """The tokenizer of a tokenizer.json, to which control tokens in a text are ordinary characters.

    Raises: DataError: damaged. NotReady: not there.
    """
    from tokenizers import Tokenizer

    if not path.is_file():
        raise NotReady(f"{path} does not exist, expected the tokenizer of the model")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # noqa: BLE001  tokenizers raises Exception itself
        raise DataError(f"{path} is damaged ({str(error)[:100]}), expected a tokenizer") from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    return tokenizer
