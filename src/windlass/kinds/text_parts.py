"""Texts that come as a list of parts, as OpenAI's form has them."""

from typing import Any


def joined(value: Any) -> Any:
    """The text of a list of parts, as OpenAI's form has them (`{"type": "text", "text": ...}`); else what was given."""
    is_parts = isinstance(value, list) and value and all(isinstance(part, dict) for part in value)
    if not is_parts or not all(part.get("type") == "text" and isinstance(part.get("text"), str) for part in value):
        return value
    return "\n".join(part["text"] for part in value)
