"""The forms in which a product is shipped: each a folder of files, filled from templates after one measured trial."""

import sys
from dataclasses import dataclass
from pathlib import Path

import windlass
from windlass.errors import DataError, SpecError, did_you_mean, expected
from windlass.records import Progress, silent
from windlass.shipping import needs, product, templating, trial
from windlass.shipping.dashboard import dashboard
from windlass.shipping.product import Product
from windlass.shipping.trial import TrialRun
from windlass.spec import Spec
from windlass.store.files import hash_folder, publish, write_text
from windlass.store.json_files import write_json
from windlass.store.store import Store

PORT = 8000
"""Where a shipped service listens."""
READY, LIVE = "health/ready", "health/live"
"""Routes that tell whether a service has proven its release, and whether it runs at all."""
USER = 10_001
"""The user and the group of a container: no name, no rights."""
DASHBOARD = "grafana.json"
N_STEPS = 3


@dataclass(frozen=True)
class Shipped:
    """What was written, and what one server needed when it was tried. next: what to do with it, one line."""

    form: str
    folder: str
    release: str
    files: list[str]
    memory_mib: int
    start_s: float
    next: str

    def __str__(self) -> str:
        return (
            f"{self.folder}: release {self.release}, {len(self.files)} files; tried: its golden rows answered right "
            f"after {self.start_s:.1f} s, {self.memory_mib} MiB of memory\nnext: {self.next}"
        )


@dataclass(frozen=True)
class Form:
    """One form. project: where in its folder the product lies (none: elsewhere). with_host: files for a public name.

    packages: that the place needs beside those of the artifact.
    """

    gives: str
    next: str
    files: tuple[str, ...]
    project: str = ""
    with_host: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    executable: tuple[str, ...] = ()
    has_dashboard: bool = False


FORMS = {
    "wheel": Form(
        "a folder that runs after `pip install`",
        "`sh run.sh` there, or `pip install --no-deps -r requirements.txt && windlass serve --project .`",
        ("README.md", "run.sh"),
        project=".",
        executable=("run.sh",),
    ),
    "docker": Form(
        "an image, and docker compose with PostgreSQL",
        "README.md there: two secrets, then `docker compose up`",
        ("Dockerfile", "dot-dockerignore", "dot-gitignore", "docker-compose.yaml", "README.md"),
        project="product",
        packages=needs.POSTGRES,
        has_dashboard=True,
    ),
    "kubernetes": Form(
        "manifests for the image of `docker`, applied by `kubectl apply -k`",
        "README.md there: the image, two secrets, then `kubectl apply -k .`",
        (
            "kustomization.yaml",
            "configmap.yaml",
            "deployment.yaml",
            "service.yaml",
            "autoscaler.yaml",
            "disruption.yaml",
            "network.yaml",
            "keys.json",
            "README.md",
        ),
        with_host=("ingress.yaml",),
        has_dashboard=True,
    ),
    "systemd": Form(
        "a unit for a Linux machine, hardened",
        "`sudo sh install.sh` there",
        ("README.md", "NAME.service", "install.sh"),
        project=".",
        executable=("install.sh",),
        has_dashboard=True,
    ),
    "grafana": Form("a dashboard over /metrics", "import grafana.json in Grafana", (), has_dashboard=True),
}


@dataclass(frozen=True)
class ShipRequest:
    """What is asked for beside a form. host: the public name (none: no Ingress). wheel: of Windlass, to take along."""

    form: str
    target: Path
    host: str = ""
    wheel: Path | None = None


def ship(spec: Spec, store: Store, order: ShipRequest, progress: Progress = silent) -> Shipped:
    """Writes the champion in this form into a new folder, whole or not at all, after it was served once.

    Raises: SpecError: an unknown form, or a name that it cannot carry. DataError: the folder is not empty.
            NotReady: there is no release. GateRefused: it does not answer its golden rows when it is tried.
    """
    check(spec, order)
    chosen = product.champion(spec, store, order.wheel)
    progress("ship", 1, N_STEPS, "serving it once, to measure it")
    measured = trial.measure(chosen, needs.missing(needs.packages(chosen.model, FORMS[order.form].packages)))
    progress("ship", 2, N_STEPS, "writing")
    made = write(chosen, measured, order)
    progress("ship", N_STEPS, N_STEPS, made.folder)
    return made


def check(spec: Spec, order: ShipRequest) -> None:
    """Raises: SpecError: an unknown form, or a name that it cannot carry. DataError: the folder is not empty."""
    if order.form not in FORMS:
        raise SpecError(f"form is '{order.form[:80]}', expected {expected(FORMS)}", did_you_mean(order.form, FORMS))
    templating.check_label(spec.slug)
    if order.host:
        templating.check_host(order.host)
    target = order.target
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise DataError(f"{target} is not empty, expected a new folder", "name another one, or remove it first")


def write(chosen: Product, measured: TrialRun, order: ShipRequest) -> Shipped:
    """The folder of an order that was checked."""
    form, target = FORMS[order.form], order.target.resolve()
    words = {
        "name": chosen.spec.slug,
        "release": chosen.release.id,
        "candidate": chosen.release.candidate,
        "created": chosen.release.created,
        "version": windlass.__version__,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "port": str(PORT),
        "user": str(USER),
        "ready": READY,
        "live": LIVE,
        "memory": str(measured.memory_mib),
        "memory_request": str(measured.request_mib),
        "memory_limit": str(measured.limit_mib),
        "start_tries": str(measured.start_tries),
        "host": order.host or f"{chosen.spec.slug}.internal",
    }
    publish(target, lambda folder: _fill(form, order, chosen, words, folder))
    return Shipped(
        order.form,
        str(order.target),
        chosen.release.id,
        sorted(hash_folder(target)),
        measured.memory_mib,
        measured.start_s,
        form.next,
    )


def _fill(form: Form, order: ShipRequest, chosen: Product, words: dict[str, str], folder: Path) -> None:
    for file in (*form.files, *(form.with_host if order.host else ())):
        text = templating.fill(templating.template(f"{order.form}/{file}"), words)
        write_text(folder / file.replace("NAME", words["name"]).replace("dot-", "."), text)
    for file in form.executable:
        (folder / file).chmod(0o755)
    if form.project:
        product.write_project(chosen, folder / form.project)
        product.write_needs(chosen, folder, form.packages)
    if form.has_dashboard:
        write_json(folder / DASHBOARD, dashboard(chosen.spec.name, chosen.is_writing))
    product.write_example(chosen, folder)
    product.write_sums(folder)
