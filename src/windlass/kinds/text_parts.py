"""Texts that come as a list of parts, as OpenAI's form has them, or as the answers of SQuAD's form."""

from typing import Any


def joined(value: Any) -> Any:
    """The text of a list of parts, as OpenAI's form has them (`{"type": "text", "text": ...}`); else what was given."""
    is_parts = isinstance(value, list) and value and all(isinstance(part, dict) for part in value)
    if not is_parts or not all(part.get("type") == "text" and isinstance(part.get("text"), str) for part in value):
        return value
    return "\n".join(part["text"] for part in value)


def answers(value: Any) -> Any:
    """The different texts of answers as SQuAD's form has them (`[{"text": ..., "answer_start": 7}]`, in its file, or
    `{"text": [...], "answer_start": [...]}`, in the datasets of Hugging Face); else what was given.

    Source: Rajpurkar et al. 2016, EMNLP.
    """
    if isinstance(value, dict) and "answer_start" in value:
        texts = value.get("text")
        texts = [texts] if isinstance(texts, str) else texts
    elif isinstance(value, list) and value and all(isinstance(each, dict) and "answer_start" in each for each in value):
        texts = [each.get("text") for each in value]
    else:
        return value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return value
    return list(dict.fromkeys(texts))
