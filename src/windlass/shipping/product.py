"""The folder that is shipped: the champion with its hashes, what it needs installed, and one request to try it with."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from windlass.kinds import table as kinds
from windlass.predictors.artifact import read_manifest
from windlass.records import Json, Release
from windlass.registry import releases
from windlass.serving.contract import page_look
from windlass.shipping import needs, own_wheel
from windlass.spec import FILE_NAME, Spec, dump
from windlass.store.files import hash_folder, write_text
from windlass.store.json_files import write_json
from windlass.store.store import Store

EXAMPLE, SUMS = "example.json", "SHA256SUMS"
WHEELS_TEXT = """Wheels that pip looks at beside its index: the one of Windlass itself, or all of them without a network
(`pip download --no-deps --requirement requirements.txt --dest wheels`).
"""


@dataclass(frozen=True)
class Product:
    """What is shipped. store: where its release was made. wheel: of Windlass, to take along; none: one is made."""

    spec: Spec
    store: Store
    release: Release
    wheel: Path | None = None

    @property
    def model(self) -> Path:
        return releases.folder(self.store, self.release.id) / releases.MODEL

    @property
    def golden(self) -> list[Json]:
        """The golden rows, as a client would send them."""
        return releases.golden(self.store, self.release.id)[0]

    @property
    def heaviest(self) -> list[Json]:
        """The first golden row with the value that takes most memory in each column that has one; none: no column."""
        found = {column.name: kinds.get(column.kind).heaviest() for column in read_manifest(self.model).inputs}
        heavy = {name: value for name, value in found.items() if value is not None}
        return [{**row, **heavy} for row in self.golden[:1]] if heavy else []

    @property
    def is_writing(self) -> bool:
        """Answers are written piece by piece, and take their time."""
        return kinds.get(read_manifest(self.model).output.kind).is_prose


def champion(spec: Spec, store: Store, wheel: Path | None) -> Product:
    """The release that is served now, its hashes verified and its golden rows answered right.

    Raises: NotReady: there is none. DataError: a file was changed. GateRefused: an answer differs. SpecError: `wheel`,
    the logo.
    """
    page_look.read(spec.look, store.project)
    release, _ = releases.open_release(store, releases.champion_id(store))
    return Product(spec, store, release, needs.check_wheel(wheel) if wheel else None)


def write_project(product: Product, folder: Path) -> None:
    """A project that can be served and nothing else: `windlass.yaml` and the release, champion of an empty history."""
    write_text(folder / FILE_NAME, dump(product.spec))
    if logo := product.spec.look.logo:
        (folder / logo).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(product.store.project / logo, folder / logo)
    shipped = Store(folder)
    shutil.copytree(releases.folder(product.store, product.release.id), releases.folder(shipped, product.release.id))
    releases.point_to(shipped, product.release.id)
    releases.verify(releases.folder(shipped, product.release.id), product.release)


def write_needs(product: Product, folder: Path, also: tuple[str, ...] = ()) -> None:
    """What pip reads. also: packages that the place needs, beside those of the artifact."""
    write_text(folder / "requirements.txt", needs.requirements(needs.packages(product.model, also)))
    write_text(folder / needs.WHEELS / "README.md", WHEELS_TEXT)
    wheel = folder / needs.WHEELS / needs.wheel_name()
    if product.wheel is not None:
        shutil.copyfile(product.wheel, wheel)
    else:
        own_wheel.write(wheel)


def write_example(product: Product, folder: Path) -> None:
    """A request that the service answers: the first golden row."""
    write_json(folder / EXAMPLE, {"row": next(iter(product.golden), {})})


def write_sums(folder: Path) -> None:
    """The SHA-256 of every file, as `sha256sum --check` reads them."""
    write_text(folder / SUMS, "".join(f"{digest}  {name}\n" for name, digest in hash_folder(folder).items()))
