"""How long a JSON by a schema may become: numbers get an end, and the budget follows what the schema asks for.

Without it a model that likes digits or spaces writes them until its tokens are used up, and the JSON is cut.
"""

from typing import Any

from windlass.records import Json

LARGEST = 10**15
"""Of numbers without a bound: JSON's readers keep 53 bits (2^53 is 9 * 10^15)."""
FINEST = 1e-6
"""Step of a fraction without one: six digits behind the point, and no exponent."""
LONGEST_TEXT, MOST_ITEMS, NUMBER_SIGNS, MOST_LEVELS = 200, 8, 24, 8
"""What is reckoned with where the schema says nothing: characters of a text, items of a list, signs of a number."""
NUMERIC = frozenset(("integer", "number"))
PARTS = ("properties", "$defs", "definitions", "patternProperties")


def bounded(schema: Any) -> Any:
    """The schema, in which numbers without a bound have one."""
    if isinstance(schema, list):
        return [bounded(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        name: {key: bounded(each) for key, each in value.items()}
        if name in PARTS and isinstance(value, dict)
        else bounded(value) if name in ("items", "anyOf", "oneOf", "allOf", "prefixItems", "additionalProperties")
        else value
        for name, value in schema.items()
    }  # fmt: skip
    types = set(made["type"]) if isinstance(made.get("type"), list) else {made.get("type")}
    if types & NUMERIC and not {"enum", "const"} & set(made):
        above = {"maximum": LARGEST} if not {"maximum", "exclusiveMaximum"} & set(made) else {}
        below = {"minimum": -LARGEST} if not {"minimum", "exclusiveMinimum"} & set(made) else {}
        finest: Json = {"multipleOf": FINEST} if "number" in types and "multipleOf" not in made else {}
        made |= above | below | finest
    return made


def need(schema: Any, root: Json | None = None, level: int = 0) -> int:
    """Characters that an answer by the schema may have, roughly; a token has one at least."""
    root = root if root is not None else schema if isinstance(schema, dict) else {}
    if not isinstance(schema, dict) or level > MOST_LEVELS:
        return NUMBER_SIGNS
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        known = {**_dict(root.get("definitions")), **_dict(root.get("$defs"))}
        return need(known.get(name, {}), root, level + 1)
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values:
        return max(len(str(value)) for value in values) + 2
    choices = [each for name in ("anyOf", "oneOf", "allOf") for each in schema.get(name, ())]
    most = max((need(each, root, level + 1) for each in choices), default=0)
    if "properties" in schema:
        parts = _dict(schema["properties"]).items()
        return most + 2 + sum(len(name) + 6 + need(each, root, level + 1) for name, each in parts)
    if "items" in schema:
        n_items = min(_whole(schema.get("maxItems"), MOST_ITEMS), 1_000)
        return most + 2 + n_items * (2 + need(schema["items"], root, level + 1))
    if schema.get("type") == "string":
        return 2 + _whole(schema.get("maxLength"), LONGEST_TEXT)
    return max(most, NUMBER_SIGNS)


def _dict(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _whole(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and value >= 0 else otherwise
