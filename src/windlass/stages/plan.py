"""Everything measured -> a roadmap: what to do next, what it brings, what it costs, by when, and how sure that is."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from windlass.database.connection import database_at
from windlass.database.location import log_path
from windlass.language.rendering import in_chinese
from windlass.pages.charts.roadmap_pictures import gantt, mermaid
from windlass.pages.html.roadmap import roadmap_page
from windlass.pages.text.doubling import doubled
from windlass.pages.text.roadmap_text import roadmap_markdown
from windlass.planning import promise_file, snapshot
from windlass.planning.context import Setting
from windlass.planning.drawing.roadmap import Frame, draw, unpriced
from windlass.planning.evidence.gathering import gather
from windlass.planning.product import FILE_NAME, Product, check_labels, load, load_prices
from windlass.planning.schedule import promises
from windlass.planning.schedule.changes import WhatIf, changed, differences
from windlass.records import Progress, Roadmap, as_json, silent
from windlass.spec import Spec
from windlass.store.files import write_text
from windlass.store.json_files import fingerprint, write_json
from windlass.store.store import Store


@dataclass(frozen=True)
class PlanRequest:
    """What is asked for. wish: what would be otherwise ("what if"); made: the day of the plan (none: today);
    database: URL of the service's memory (none: the project's file)."""

    wish: WhatIf = field(default_factory=WhatIf)
    made: date | None = None
    database: str = ""


def plan(spec: Spec, store: Store, order: PlanRequest | None = None, progress: Progress = silent) -> Roadmap:
    """Writes the roadmap as JSON, Markdown, page and pictures; keeps what it promises, and judges what came of old
    promises.

    A "what if" writes `what-if.*` instead, says what it changes, and promises nothing.
    Raises: NotReady: there is no leaderboard. SpecError: product.yaml is wrong.
    """
    order = order or PlanRequest()
    product = load(store.project, list(spec.inputs))
    other_product = changed(product, order.wish)
    found = snapshot.take(spec, store, database_at(order.database or log_path(store)))
    evidence = gather(found, progress)
    check_labels(product, evidence.prepared.labels.get("train", {}))
    made = order.made or datetime.now(UTC).date()
    key = fingerprint([found.key, product.model_dump(mode="json")])
    prices, prices_from = load_prices(product, store.project)

    def drawn(asked: Product) -> tuple[Setting, Roadmap]:
        setting = Setting(evidence, asked, prices)
        return setting, draw(setting, Frame(made, prices_from, key))

    setting, roadmap = drawn(product)
    is_priced = (store.project / FILE_NAME).is_file()
    known = found.promises.entries
    roadmap = replace(roadmap, warnings=[*roadmap.warnings, *found.promises.warnings])
    if order.wish.words:
        _, other = drawn(other_product)
        told = replace(other, promises=promises.told(known), what_if=order.wish.words,
                       changes=differences(roadmap, other))  # fmt: skip
        told = told if is_priced else unpriced(told)
        _write(spec, store, told, "what-if")
        return told
    roadmap = roadmap if is_priced else unpriced(roadmap)
    came = promises.outcomes(setting, known, made.isoformat())
    still = promises.open_promises([*known, *came])
    fresh = [promises.promise(setting, item, made.isoformat()) for item in roadmap.chosen if item.id not in still]
    promise_file.add(found.folder / promise_file.FILE, [*came, *fresh])
    roadmap = replace(roadmap, promises=promises.told([*known, *came, *fresh]))
    _write(spec, store, roadmap, "roadmap")
    write_json(store.record("plan"), as_json(roadmap))
    return roadmap


def _write(spec: Spec, store: Store, roadmap: Roadmap, name: str) -> None:
    folder = store.stage("plan")
    text = roadmap_markdown(roadmap)
    write_text(folder / f"{name}.md", text)
    write_text(folder / f"{name}.zh.md", in_chinese(text))
    write_text(folder / f"{name}.html", doubled(roadmap_page(replace(roadmap, product=spec.shown_name))))
    write_text(folder / f"{name}.svg", gantt(roadmap, is_alone=True))
    write_text(folder / f"{name}.mmd", mermaid(roadmap))
    write_json(folder / f"{name}.json", as_json(roadmap))
