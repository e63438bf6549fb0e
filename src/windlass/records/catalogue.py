"""The table of the items that may be recommended: ids, and what is told of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

TITLES = ("title", "name", "headline", "product", "标题", "名称", "品名", "商品名称", "片名")
AVAILABLE, MIN_AGE, MARGIN = "available", "min_age", "margin"
"""Columns that are heeded where a table has them: not to be had; the age from which on; what one earns."""
RULES = frozenset({AVAILABLE, MIN_AGE, MARGIN})
SHOWN = ("price", "category")
"""Columns that a page shows where a table has them."""
NO = frozenset(
    {"0", "0.0", "no", "false", "n", "out", "sold out", "sold_out", "否", "无", "无货", "售罄", "缺货", "下架"}
)


@dataclass(frozen=True)
class Catalogue:
    """ids: of the items, each once. columns: name -> (n,) values as text, '' where nothing is told."""

    ids: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def places(self) -> dict[str, int]:
        """Id -> its number here."""
        return {item: place for place, item in enumerate(self.ids)}

    def texts(self) -> list[str]:
        """All that is told of each item, but for what rules are made of."""
        told = [values for name, values in self.columns.items() if name.strip().lower() not in RULES]
        return ["\n".join(each).replace("|", " ") for each in zip(*told, strict=True)] if told else [""] * len(self)

    @cached_property
    def title_column(self) -> str:
        """The column that names an item for people; '' = there is none."""
        named = {name.strip().lower(): name for name in self.columns}
        return next((named[each] for each in TITLES if each in named), "")

    def told(self, item: str) -> dict[str, str | dict[str, str]]:
        """What a page shows beside the title: it in other languages (`title_zh`), the price, the category."""
        place, base = self.places.get(item), self.title_column
        if place is None:
            return {}
        prefix = f"{base}_" if base else ""
        titles = {name[len(prefix):].lower(): values[place] for name, values in self.columns.items()
                  if prefix and name.startswith(prefix) and values[place]}  # fmt: skip
        named = {name.strip().lower(): values[place] for name, values in self.columns.items()}
        plain = {name: named[name] for name in SHOWN if named.get(name)}
        return {**({"titles": titles} if titles else {}), **plain}

    def title(self, item: str) -> str:
        """What people call it; its id where nothing is told."""
        place = self.places.get(item)
        if place is None or not self.title_column:
            return item
        return self.columns[self.title_column][place] or item
