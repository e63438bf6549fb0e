"""The control tokens around a conversation, taken from the model's own chat template.

Jinja is rendered while training alone, in transformers' sandbox, with words in place of what is said; what stands
between the words becomes token ids, and those alone go into the artifact. Templates that look into what is said
(Qwen3's cuts `</think>` out of it, Llama's strips spaces) are kept as they treat a plain word.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from windlass.kinds.chat import ROLES
from windlass.predictors.language.prompts import Ids, Template
from windlass.records import Json

logger = logging.getLogger("windlass.learners")
WORDS = tuple(f"W{letter}rd" for letter in "aeiouy")
"""Stand in for what is said: no template looks for them, and none of them is part of another."""
PLAIN = "the model has no chat template of its own that can be kept, so that a plain one was taught"
NO_SYSTEM = "the model's template knows no system message: one is told as if the user had said it"


class UnsupportedTemplate(Exception):
    """The template cannot be taken apart into pieces that do not depend on what is said."""


@dataclass(frozen=True)
class TemplateTexts:
    """A template as texts; as `prompts.Template`, whose pieces these become."""

    start: str
    default: str
    roles: dict[str, tuple[str, str]]
    answer: str
    notes: list[str] = field(default_factory=list)

    def joined(self, said: list[Json]) -> str:
        """The conversation, ready to be answered."""
        has_system = bool(said) and said[0]["role"] == "system"
        inside = "".join(self.roles[each["role"]][0] + each["content"] + self.roles[each["role"]][1] for each in said)
        return self.start + ("" if has_system else self.default) + inside + self.answer


PLAIN_TEMPLATE = TemplateTexts(
    "", "", {role: (f"{role.capitalize()}:\n", "\n\n") for role in ROLES}, "Assistant:\n", [PLAIN]
)


class Renderer:
    """The model's own chat template, rendered by transformers."""

    def __init__(self, reader: Any) -> None:
        self.reader = reader

    def __call__(self, said: list[Json], is_asked: bool = True) -> str:
        """Without thoughts where the template knows such a choice: what is taught answers at once."""
        return self.reader.apply_chat_template(
            said, tokenize=False, add_generation_prompt=is_asked, enable_thinking=False
        )

    def pieces(self, *roles: str, is_asked: bool = True) -> list[str]:
        """What stands before, between and after the messages of these roles. Raises: Unlike."""
        said = [{"role": role, "content": word} for role, word in zip(roles, WORDS, strict=False)]
        rest, found = self(said, is_asked), []
        for message in said:
            before, word, rest = rest.partition(message["content"])
            if not word or message["content"] in rest:
                raise UnsupportedTemplate("a message does not stand in it once")
            found.append(before)
        return [*found, rest]


def spoken(reader: Any) -> TemplateTexts:
    """The model's own template, else a plain one; its notes say what is not as the model had it."""
    if not reader.chat_template:
        return PLAIN_TEMPLATE
    try:
        with _quiet():
            return _own(Renderer(reader), reader.bos_token or "")
    except UnsupportedTemplate as unlike:
        logger.warning("a plain chat template is taught: in the model's own, %s", unlike)
    except Exception:  # noqa: BLE001  a template is a program, and fails in any way it likes
        logger.warning("a plain chat template is taught: the model's own fails", exc_info=True)
    return PLAIN_TEMPLATE


@contextmanager
def _quiet() -> Iterator[None]:
    """transformers says nothing meanwhile."""
    loud = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(loud)


def _own(render: Renderer, bos: str) -> TemplateTexts:
    """Raises: Unlike: it cannot be taken apart, or its pieces do not give what it gives."""
    lead, asked, again, last = render.pieces("user", "assistant", "user")
    after_user = _tail(render, "user")
    if not asked.startswith(after_user) or not last.startswith(after_user):
        after_user = ""
    ended = _tail(render, "user", "assistant")
    before_user = next(
        (
            each
            for each in (lead, lead.removeprefix(bos), again.removeprefix(ended))
            if each and lead.endswith(each) and again.endswith(each)
        ),
        "",
    )
    if not before_user:
        raise UnsupportedTemplate("users speak otherwise at first")
    head, after_assistant = lead[: len(lead) - len(before_user)], again[: len(again) - len(before_user)]
    roles = {"user": (before_user, after_user), "assistant": (asked[len(after_user) :], after_assistant)}
    answer, start, notes = last[len(after_user) :], head, []
    try:
        first, second, *_ = render.pieces("system", "user", "assistant", "user")
        if not first.startswith(head):
            start = bos if bos and first.startswith(bos) and head.startswith(bos) else ""
        if not second.endswith(before_user):
            raise UnsupportedTemplate("users speak otherwise after a system message")
        roles["system"] = (first[len(start) :], second[: len(second) - len(before_user)])
    except Exception:  # noqa: BLE001  as above: many templates refuse system messages
        roles["system"] = roles["user"]
        notes.append(NO_SYSTEM)
    found = TemplateTexts(start, head[len(start) :], roles, answer, notes)
    _check(found, render)
    return found


def _tail(render: Renderer, *roles: str) -> str:
    """What follows the last message when no answer is asked for; nothing where the template refuses that."""
    try:
        return render.pieces(*roles, is_asked=False)[-1]
    except Exception:  # noqa: BLE001  as above
        return ""


def _check(found: TemplateTexts, render: Renderer) -> None:
    """Raises: Unlike: on a conversation of other words, the pieces give another text than the template."""
    said = ["Who wrote this?", "A crew of three.", "And when? Tell me.", "In May.", "Thanks; why?"]
    talk = [{"role": role, "content": content} for role, content in zip(("user", "assistant") * 3, said, strict=False)]
    talks = [talk[:1], talk[:3], talk]
    if NO_SYSTEM not in found.notes:
        talks += [[{"role": "system", "content": "Be brief."}, *each] for each in talks]
    if any(found.joined(each) != render(each) for each in talks):
        raise UnsupportedTemplate("its pieces do not give what it gives")


def as_ids(found: TemplateTexts, tokenizer: Any, ends: Ids, most: int) -> Template:
    """The template of a manifest. Args: tokenizer: one to which control tokens are control tokens."""

    def ids(text: str) -> Ids:
        return list(tokenizer.encode(text, add_special_tokens=False).ids)

    roles = {role: (ids(before), ids(after)) for role, (before, after) in found.roles.items()}
    added = tokenizer.get_added_tokens_decoder()
    closing = [number for number in roles["assistant"][1][:1] if number in added]
    plain = found.notes == [PLAIN]
    first = _first(tokenizer) if plain else []
    if plain:
        roles["assistant"] = (roles["assistant"][0], [*ends[:1], *roles["assistant"][1]])
    return Template(
        first or ids(found.start),
        roles,
        ids(found.answer),
        list(dict.fromkeys([*closing, *ends])),
        most,
        ids(found.default),
    )


def _first(tokenizer: Any) -> Ids:
    """What the tokenizer puts before each text by itself."""
    encoding = tokenizer.encode("a", add_special_tokens=True)
    return (
        [number for number, mask in zip(encoding.ids, encoding.special_tokens_mask, strict=True) if mask][:1]
        if encoding.special_tokens_mask[0]
        else []
    )


def control_ids(template: Template, tokenizer: Any) -> Ids:
    """The added tokens of the tokenizer that the template uses, and those that end an answer."""
    added = set(tokenizer.get_added_tokens_decoder())
    around = [ids for pair in template.roles.values() for ids in pair]
    used = [template.start, template.default, template.answer, template.end, *around]
    return sorted({number for ids in used for number in ids if number in added})
