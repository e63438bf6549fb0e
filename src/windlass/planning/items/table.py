"""The one table of what a plan can propose, each made from evidence, and the items that come of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from windlass.planning.context import Setting
from windlass.planning.items import answers as answer_items
from windlass.planning.items import data as data_items
from windlass.planning.items import documents as document_items
from windlass.planning.items import lists as list_items
from windlass.planning.items import machines as machine_items
from windlass.planning.items import models as model_items
from windlass.planning.items import pictures as picture_items
from windlass.records import Item

PROPOSALS: tuple[Callable[[Setting], Iterator[Item]], ...] = (
    model_items.retrain,
    model_items.other_model,
    model_items.cheaper_model,
    machine_items.hardware,
    machine_items.compression,
    machine_items.too_slow,
    data_items.merged_labels,
    data_items.cleaner_labels,
    data_items.weak_labels,
    data_items.more_rows,
    data_items.weak_part,
    data_items.feedback,
    picture_items.more_pictures,
    picture_items.weak_classes,
    answer_items.another_input,
    answer_items.complaints,
    answer_items.rules,
    answer_items.broken_rules,
    document_items.write_next,
    list_items.nightly,
    list_items.more_histories,
    list_items.unseen_items,
    list_items.exploring,
    list_items.cold_users,
    model_items.hand_over,
    model_items.watching,
    model_items.keeping,
    model_items.more_test_rows,
    model_items.fairness,
    model_items.columns,
)
AFTER = {
    "rows": ("labels", "merge"),
    "weak-labels": ("labels", "merge"),
    "handover": ("model", "cheaper"),
    "learn": ("new-labels",),
    "retrain": ("new-labels",),
}
"""What begins with a word waits for what begins with one of the others: labels are cleaned before more are bought,
and a
threshold belongs to the model that it was measured on."""


def proposals(setting: Setting) -> list[Item]:
    """All items that the evidence supports; ids are unique, `after` names items that are there."""
    found = [item for propose in PROPOSALS for item in propose(setting)]
    return [replace(item, after=_after(item, found)) for item in found]


def _after(item: Item, found: list[Item]) -> tuple[str, ...]:
    words = next((words for start, words in AFTER.items() if item.id.startswith(start)), ())
    return tuple(other.id for other in found if other.id.startswith(words) and other.id != item.id) if words else ()
