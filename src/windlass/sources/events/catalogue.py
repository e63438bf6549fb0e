"""The table of the items: read from a file of its own, ids as text, and held against the ids of the events."""

from collections.abc import Collection
from pathlib import Path

from windlass.errors import DataError, did_you_mean, expected
from windlass.kinds.contract import has_surrogate, is_missing, shown
from windlass.kinds.items import item_id
from windlass.records import Catalogue
from windlass.sources.contract import Source
from windlass.sources.places import table
from windlass.spec import Spec
from windlass.store.store import Store

IDS = ("item", "item_id", "id", "itemid", "sku", "product_id", "商品编号", "编号")
"""Names of the column of ids, where it has another name than in the log."""
MOST_CHARACTERS = 20_000
"""Of a value: longer texts are cut, and that is said."""


def source_of(spec: Spec, store: Store) -> Source | None:
    """Where the table stands; None: the product has none. Raises: DataError: no such file."""
    if spec.items is None or not spec.items.catalogue:
        return None
    path = store.project / spec.items.catalogue
    if not path.is_file():
        raise DataError(f"{path} does not exist, expected the table of the items (`items: catalogue`)")
    return table(path, store.folder / "unpacked")


def stamp(spec: Spec, store: Store) -> list[tuple[str, int, int]]:
    """Changes when the file does."""
    path = store.project / spec.items.catalogue if spec.items is not None and spec.items.catalogue else Path()
    return [(str(path), path.stat().st_size, path.stat().st_mtime_ns)] if path.is_file() else []


def read_table(source: Source, item: str, known: Collection[str]) -> tuple[Catalogue, list[str]]:
    """The items, and what a person should know of them. item: what the log calls an id; known: ids of the log.

    Raises: DataError: no column of ids, or no item.
    """
    ids: dict[str, int] = {}
    columns: dict[str, list[str]] = {}
    name, twice, faults, long = "", 0, 0, 0
    for raw in source.rows():
        if raw.values is None:
            faults += 1
            continue
        if not name:
            name = _id_column(list(raw.values), item, source)
            columns = {str(each): [] for each in raw.values if each != name}
        try:
            found = item_id(raw.values.get(name))
        except ValueError:
            faults += 1
            continue
        if found in ids:
            twice += 1
            continue
        ids[found] = len(ids)
        for each, values in columns.items():
            value = raw.values.get(each)
            text = "" if is_missing(value) else str(value).strip()
            long += len(text) > MOST_CHARACTERS
            values.append("" if has_surrogate(text) else text[:MOST_CHARACTERS])
    if not ids:
        raise DataError(f"{source.shown} has no item, expected a row for each")
    made = Catalogue(tuple(ids), {each: tuple(values) for each, values in columns.items()})
    said = [
        f"{source.shown}: {count:,} rows {words}"
        for count, words in (
            (faults, "have no id, or cannot be read: they are left out"),
            (twice, "have an id that was there before: the first one counts"),
            (long, f"have a text of more than {MOST_CHARACTERS:,} characters: it is cut"),
        )
        if count
    ]
    return made, [*said, *_unlike(made, known, source)]


def _id_column(found: list[str], item: str, source: Source) -> str:
    plain = {each.strip().lower(): each for each in found}
    name = next((plain[each] for each in (item.lower(), *IDS) if each in plain), "")
    if not name:
        raise DataError(
            f"{source.shown} has no column '{item}', expected the ids of the items there, as in the log; it has "
            f"{expected(found)}",
            did_you_mean(item, found),
        )
    return name


def _unlike(made: Catalogue, known: Collection[str], source: Source) -> list[str]:
    """Items of the log that the table does not have, and how their ids may be meant."""
    missing = [each for each in known if each not in made.places]
    if not missing:
        return []
    said = (
        f"{source.shown} does not have {len(missing):,} of {len(known):,} items of the log, such as {shown(missing[0])}"
    )
    plain = {each.removesuffix(".0").lstrip("0"): each for each in made.ids}
    meant = next((each for each in missing if each.removesuffix(".0").lstrip("0") in plain), "")
    if meant:
        other = plain[meant.removesuffix(".0").lstrip("0")]
        said += f"; it has {shown(other)} where the log has {shown(meant)}: ids are text, write them alike"
    return [f"{said}: they are recommended without a title"]
