"""A product is shipped as it was released: proven once, filled strictly, small where it may be, closed by default."""

import json
import re
import subprocess
import sys
import sysconfig
import urllib.request
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import windlass
from windlass.cli import app
from windlass.errors import DataError, GateRefused, NotReady, SpecError
from windlass.predictors.artifact import read_golden
from windlass.project import Project
from windlass.registry import releases
from windlass.serving.api.app import create_app
from windlass.serving.contract.settings import Settings
from windlass.shipping import forms, needs, product, templating, trial
from windlass.shipping.forms import FORMS, ShipRequest, ship
from windlass.shipping.product import Product
from windlass.shipping.trial import TrialRun
from windlass.store.files import hash_folder
from windlass.store.json_files import write_json
from windlass.store.store import Store

HOST = "desk.example.com"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def chosen(project: Project) -> Product:
    return product.champion(project.spec, project.store, None)


@pytest.fixture(scope="module")
def folders(chosen: Product, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each form as it is written after a trial that needed 100 MiB and 2 s."""
    home = tmp_path_factory.mktemp("shipped")
    for form in FORMS:
        forms.write(chosen, TrialRun(100, 2.0), ShipRequest(form, home / form, HOST))
    return {form: home / form for form in FORMS}


def read(folder: Path, name: str) -> Any:
    return yaml.safe_load((folder / name).read_text(encoding="utf-8"))


def pod(folder: Path) -> Any:
    return read(folder, "deployment.yaml")["spec"]["template"]["spec"]


def test_the_command_serves_the_product_once_writes_it_and_says_what_it_needs(project: Project, tmp_path: Path) -> None:
    """A Python with numpy and a web server holds more than 30 MiB, and this one no torch (then over 150 MiB)."""
    arguments = ["ship", "wheel", str(tmp_path / "out"), "--project", str(project.folder), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.exception
    told = json.loads(result.stdout)
    assert 30 < told["memory_mib"] < 150
    assert told["start_s"] > 0.1
    assert told["release"] == project.champion.id
    assert told["files"] == sorted(hash_folder(tmp_path / "out"))


def test_a_product_that_does_not_answer_its_golden_rows_is_not_shipped(project: Project, tmp_path: Path) -> None:
    """The control of the trial: two golden answers change places before it, and the record agrees with the files."""
    store = Store(tmp_path / "project")
    folder = releases.folder(store, project.champion.id)
    product.write_project(product.champion(project.spec, project.store, None), store.project)
    rows, answers = read_golden(folder / "model")
    write_json(folder / "model" / "golden.json", {"rows": rows, "answers": answers[1:] + answers[:1]})
    record = json.loads((folder / "release.json").read_text())
    (folder / "release.json").unlink()
    write_json(folder / "release.json", {**record, "files": hash_folder(folder)})
    damaged = Product(project.spec, store, releases.record(store, record["id"]))
    with pytest.raises(GateRefused, match=r"(?s)trial failed .* golden rows"):
        trial.measure(damaged)
    with pytest.raises(GateRefused, match="golden rows"):
        ship(project.spec, store, ShipRequest("wheel", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_memory_is_asked_for_in_steps_above_what_was_measured() -> None:
    """By hand: 1.25 * 100 = 125 -> 128; 2 * 100 + 128 = 328 -> 352; 5 looks a second of the trial, at least 30."""
    found = TrialRun(100, 2.0)
    assert (found.request_mib, found.limit_mib, found.start_tries) == (128, 352, 30)
    assert TrialRun(1, 20.0).start_tries == 101


def test_the_shipped_folder_is_the_release_and_nothing_more(folders: dict[str, Path], project: Project) -> None:
    """Neither rows nor other releases leave the house; the sums are those of the files."""
    shipped = Store(folders["wheel"])
    id = releases.champion_id(shipped)
    assert id == project.champion.id
    assert hash_folder(releases.folder(shipped, id)) == hash_folder(project.champion.folder)
    assert sorted(path.name for path in shipped.folder.iterdir()) == ["release"]
    assert not (folders["wheel"] / "data.csv").exists()
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folders["wheel"], check=True)


def test_the_shipped_folder_answers_as_the_champion_does(folders: dict[str, Path], project: Project) -> None:
    row = json.loads((folders["wheel"] / "example.json").read_text(encoding="utf-8"))["row"]
    shipped = Project(folders["wheel"]).champion.predict([row])[0]
    assert shipped == project.champion.predict([row])[0]


def test_all_packages_are_named_in_the_versions_that_are_here(chosen: Product) -> None:
    pinned = needs.requirements(needs.packages(chosen.model))
    assert f"numpy=={__import__('numpy').__version__}\n" in pinned
    assert f"\n./wheels/windlass-{windlass.__version__}-py3-none-any.whl\n" in pinned, "no index is asked for it"
    assert not re.search(r"^(torch|transformers|ctranslate2|polars|scipy|pytest)==", pinned, re.MULTILINE)
    assert re.search(r"^starlette==", pinned, re.MULTILINE), "what packages bring is pinned as well"


def test_a_language_model_needs_ctranslate2_where_it_has_a_copy_for_it_and_torch_where_not(
    chosen: Product, tmp_path: Path
) -> None:
    """The manifest alone decides: the same one with another predictor."""
    values = json.loads((chosen.model / "manifest.json").read_text(encoding="utf-8"))
    write_json(tmp_path / "manifest.json", {**values, "predictor": "language"})
    pinned = needs.requirements(needs.packages(tmp_path))
    assert f"\n--extra-index-url {needs.TORCH_INDEX}\n" in pinned
    assert re.search(r"^torch==[0-9.]+$", pinned, re.MULTILINE), "without '+cpu'"
    assert "\nhuggingface-hub==" in pinned, "which transformers imports"
    (tmp_path / "fast").mkdir()
    pinned = needs.requirements(needs.packages(tmp_path))
    assert re.search(r"^ctranslate2==.*^tokenizers==", pinned, re.MULTILINE | re.DOTALL)
    assert not re.search(r"torch|huggingface-hub", pinned)


def test_a_shipped_folder_carries_a_wheel_of_windlass_that_pip_installs(chosen: Product, tmp_path: Path) -> None:
    """Under the name alone an index would give another project."""
    forms.write(chosen, TrialRun(100, 2.0), ShipRequest("wheel", tmp_path / "out"))
    name = f"windlass-{windlass.__version__}-py3-none-any.whl"
    site = tmp_path / "site"
    command = ["-m", "pip", "--quiet", "install", "--no-deps", "--no-index", "--target", str(site), f"./wheels/{name}"]
    subprocess.run([sys.executable, *command], check=True, cwd=tmp_path / "out")
    package = Path(windlass.__file__).parent
    there = {path.relative_to(package) for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert {p.relative_to(site / "windlass") for p in (site / "windlass").rglob("*") if p.suffix != ".pyc"} >= there
    assert "windlass = windlass.__main__:main" in next(site.glob("*/entry_points.txt")).read_text(encoding="utf-8")


def test_a_wheel_of_this_version_is_taken_along_and_no_other(chosen: Product, tmp_path: Path) -> None:
    wheel = tmp_path / f"windlass-{windlass.__version__}-py3-none-any.whl"
    with pytest.raises(NotReady, match="does not exist"):
        needs.check_wheel(wheel)
    wheel.write_bytes(b"wheel")
    forms.write(replace(chosen, wheel=wheel), TrialRun(100, 2.0), ShipRequest("docker", tmp_path / "out"))
    assert (tmp_path / "out" / "wheels" / wheel.name).read_bytes() == b"wheel"
    with pytest.raises(SpecError, match=r"wheel is 'other-1\.whl'"):
        needs.check_wheel(tmp_path / "other-1.whl")


@pytest.mark.parametrize(
    "word", ["a b", "a\nRUN x", "a;b", "$(id)", "${X}", "a'b", '"', "%n", "{{ port }}", "-x", "a:", "#a", ""]
)
def test_a_word_that_could_become_code_is_refused(word: str) -> None:
    with pytest.raises(SpecError, match="name is"):
        templating.fill("FROM {{ name }}", {"name": word})


def test_a_safe_word_is_filled_in_and_a_blank_without_a_word_is_a_fault() -> None:
    assert templating.fill("a {{ name }} ${X} {y}", {"name": "desk-1.0+x@y:z/w"}) == "a desk-1.0+x@y:z/w ${X} {y}"
    with pytest.raises(KeyError, match="other"):
        templating.fill("{{ other }}", {"name": "x"})


@pytest.mark.parametrize(
    ("order", "error", "words"),
    [
        (ShipRequest("dockr", Path("new")), SpecError, "did you mean 'docker'"),
        (ShipRequest("docker", Path(__file__).parent), DataError, "is not empty"),
        (ShipRequest("kubernetes", Path("new"), host="a b.example"), SpecError, "expected a DNS name"),
        (ShipRequest("kubernetes", Path("new"), host="x.example\ny: z"), SpecError, "expected a DNS name"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_refused_before_any_work(
    project: Project, order: ShipRequest, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        forms.check(project.spec, order)


def test_a_name_that_cannot_name_a_service_is_refused(project: Project) -> None:
    """A service of Kubernetes begins with a letter and ends with a letter or a digit."""
    for name in ("1desk", "desk-", "d" * 51):
        with pytest.raises(SpecError, match="expected a letter first"):
            forms.check(project.spec.model_copy(update={"name": name}), ShipRequest("docker", Path("new")))


def test_every_template_is_written_and_every_blank_filled(folders: dict[str, Path]) -> None:
    home = Path(forms.__file__).parent / "templates"
    listed = {f"{name}/{file}" for name, form in FORMS.items() for file in (*form.files, *form.with_host)}
    assert listed == {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    for folder in folders.values():
        for path in folder.rglob("*"):
            if (
                path.is_file()
                and path.suffix != ".whl"
                and path.name != "grafana.json"
                and ".windlass" not in path.parts
            ):
                assert "{{" not in path.read_text(encoding="utf-8"), path


def test_the_image_is_pinned_without_root_and_says_its_release(folders: dict[str, Path], project: Project) -> None:
    text = (folders["docker"] / "Dockerfile").read_text(encoding="utf-8")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert re.findall(r"^FROM (.*)$", text, re.MULTILINE) == ["${BASE} AS packages", "${BASE}"]
    assert f"ARG BASE=python:{python}-slim-bookworm\n" in text
    assert "\nUSER 10001:10001\n" in text
    assert f'io.windlass.release="{project.champion.id}"' in text
    assert "curl" not in text
    words = re.findall(r"^(?:ENTRYPOINT|CMD|    CMD) (.*)$", text, re.MULTILINE)
    health, entry, arguments = (json.loads(word) for word in words)
    assert entry == ["windlass"], "as a list: a shell between would keep signals for itself"
    assert arguments[:5] == ["serve", "--project", "/srv/product", "--host", "0.0.0.0"]
    compile(health[2], "health check", "exec")


def test_the_build_reads_nothing_but_what_is_named(folders: dict[str, Path]) -> None:
    lines = (folders["docker"] / ".dockerignore").read_text(encoding="utf-8").split()
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (folders["docker"] / "Dockerfile").read_text(), re.MULTILINE)
    sources = {word.rstrip("/") for line in copied for word in line.split()}
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == sources
    assert all((folders["docker"] / source).exists() for source in sources)


def test_compose_is_reachable_on_loopback_alone_and_holds_no_secret(folders: dict[str, Path]) -> None:
    services = read(folders["docker"], "docker-compose.yaml")["services"]
    service, database = services["service"], services["database"]
    assert service["ports"] == ["127.0.0.1:8000:8000"]
    assert "ports" not in database
    assert (service["read_only"], service["cap_drop"], service["mem_limit"]) == (True, ["ALL"], "352m")
    assert ":?" in database["environment"]["POSTGRES_PASSWORD"], "refused when nobody chose one"
    assert "${DATABASE_PASSWORD:?" in service["environment"]["WINDLASS_DATABASE"]
    assert database["image"] == "postgres:17-bookworm"


def test_a_pod_has_no_rights_and_the_memory_that_was_measured(folders: dict[str, Path]) -> None:
    found = pod(folders["kubernetes"])
    container = found["containers"][0]
    assert container["resources"]["requests"]["memory"] == "128Mi"
    assert container["resources"]["limits"]["memory"] == "352Mi"
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert found["securityContext"]["runAsNonRoot"] is True
    assert found["automountServiceAccountToken"] is False
    hosts = [word for word in container["args"] if word.startswith("--allow-host=")]
    assert hosts[0] == "--allow-host=desk"
    assert hosts[-1] == f"--allow-host={HOST}"
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/tmp", "/srv/product/.windlass/serve"}


def test_probes_ask_routes_that_are_served(folders: dict[str, Path], project: Project) -> None:
    champion = project.champion
    application = create_app(champion.record, champion.predictor, None, Settings())
    served = {getattr(route, "path", "") for route in application.routes}
    container = pod(folders["kubernetes"])["containers"][0]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["path"] in served
        assert asked["httpHeaders"] == [{"name": "Host", "value": "localhost"}], "others are refused with 421"
    assert container["startupProbe"]["failureThreshold"] == 30


def test_the_manifests_belong_together(folders: dict[str, Path]) -> None:
    folder = folders["kubernetes"]
    selector = {"app.kubernetes.io/name": "desk"}
    deployment = read(folder, "deployment.yaml")
    assert "replicas" not in deployment["spec"], "the autoscaler owns them"
    assert deployment["spec"]["selector"]["matchLabels"] == selector
    assert deployment["spec"]["template"]["metadata"]["labels"] == selector
    assert read(folder, "service.yaml")["spec"]["selector"] == selector
    assert read(folder, "disruption.yaml")["spec"]["selector"]["matchLabels"] == selector
    assert read(folder, "autoscaler.yaml")["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert read(folder, "ingress.yaml")["spec"]["rules"][0]["host"] == HOST
    files = set(read(folder, "kustomization.yaml")["resources"])
    assert files == {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml", "ingress.yaml"}
    assert not any(read(folder, name)["kind"] == "Secret" for name in files)


def test_a_pod_reaches_nothing_but_its_database_and_names(folders: dict[str, Path]) -> None:
    rules = read(folders["kubernetes"], "network.yaml")["spec"]
    assert rules["policyTypes"] == ["Ingress", "Egress"]
    assert sorted(port["port"] for rule in rules["egress"] for port in rule["ports"]) == [53, 53, 5432]
    assert all(rule["to"] for rule in rules["egress"]), "a rule without `to` would open all addresses"


def test_the_dashboard_is_that_of_the_product(folders: dict[str, Path]) -> None:
    assert {name for name, folder in folders.items() if (folder / "grafana.json").is_file()} == set(FORMS) - {"wheel"}
    assert "desk" in json.loads((folders["grafana"] / "grafana.json").read_text(encoding="utf-8"))["title"]


def test_no_ingress_is_written_for_nobody(chosen: Product, tmp_path: Path) -> None:
    forms.write(chosen, TrialRun(100, 2.0), ShipRequest("kubernetes", tmp_path / "out"))
    assert not (tmp_path / "out" / "ingress.yaml").exists()


def test_what_is_shipped_asks_no_one(folders: dict[str, Path]) -> None:
    """`import windlass` says so too; this is for what may be run in the image beside `windlass`."""
    for form, file in (("docker", "Dockerfile"), ("systemd", "*.service")):
        (path,) = folders[form].glob(file)
        assert "ORT_DISABLE_TELEMETRY=1" in path.read_text(encoding="utf-8")
        assert "HF_HUB_OFFLINE=1" in path.read_text(encoding="utf-8")


def test_the_unit_is_shut_in(folders: dict[str, Path]) -> None:
    lines = (folders["systemd"] / "desk.service").read_text(encoding="utf-8").splitlines()
    assert {
        "DynamicUser=yes",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "MemoryMax=352M",
        "IPAddressDeny=any",
    } <= set(lines)


def test_what_the_unit_does_before_it_starts_makes_a_project_that_answers(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """Its own commands, with /opt and /var/lib below a folder of the test."""
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt" / "desk").symlink_to(folders["systemd"])
    text = (folders["systemd"] / "desk.service").read_text(encoding="utf-8")
    for line in re.findall(r"^ExecStartPre=(.*)$", text, re.MULTILINE):
        moved = line.replace(" /", f" {tmp_path}/")
        subprocess.run(moved.split(), check=True)
    row = json.loads((folders["systemd"] / "example.json").read_text(encoding="utf-8"))["row"]
    assert Project(tmp_path / "var" / "lib" / "desk").champion.predict([row])[0].value


def link_packages(requirements: Path, site: Path) -> None:
    """What pip would install by this list, Windlass aside, as links to what is installed here."""
    here = Path(sysconfig.get_path("purelib"))
    for line in requirements.read_text(encoding="utf-8").splitlines():
        name = line.partition("==")[0]
        if line.startswith("#") or name.startswith("./wheels/windlass-"):
            continue
        for top in {file.parts[0] for file in distribution(name).files or ()} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(here / top)


@pytest.mark.soak
def test_the_folder_runs_from_a_wheel_in_an_empty_place(chosen: Product, tmp_path: Path) -> None:
    """A fresh environment with the wheel of this code and links to the packages that its list names, no others."""
    pytest.importorskip("hatchling", reason="needs hatchling, which comes with windlass[dev]")
    built = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *built], check=True, capture_output=True)
    wheel = next(tmp_path.glob("windlass-*.whl"))
    folder = tmp_path / "empty" / "desk"
    forms.write(replace(chosen, wheel=wheel), TrialRun(100, 2.0), ShipRequest("wheel", folder))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / ".venv")], check=True)
    site = next((folder / ".venv").glob("lib/python*/site-packages"))
    link_packages(folder / "requirements.txt", site)
    there = ["-m", "pip", "--quiet", "--python", str(folder / ".venv" / "bin" / "python")]
    taken = ["install", "--no-deps", "--no-index", "--find-links", str(folder / "wheels"), "windlass"]
    subprocess.run([sys.executable, *there, *taken], check=True)
    (folder / ".venv" / "ready").mkdir()
    (folder / ".venv" / "ready" / "windlass").symlink_to("../bin/windlass")

    command = ["sh", str(folder / "run.sh"), "--port", "0"]
    environment = {"PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            rows, wanted = read_golden(chosen.model)
            body = json.dumps({"rows": rows}).encode()
            headers = {"Content-Type": "application/json"}
            request = urllib.request.Request(f"{url}/v1/predict", body, headers)
            with urllib.request.urlopen(request, timeout=60) as response:
                given = json.load(response)
            explained = urllib.request.Request(f"{url}/v1/explain", json.dumps({"row": rows[0]}).encode(), headers)
            assert urllib.request.urlopen(explained, timeout=60).status == 200
            right = json.dumps({"id": given["answers"][0]["id"], "right": True}).encode()
            feedback = urllib.request.Request(f"{url}/v1/feedback", right, headers)
            assert urllib.request.urlopen(feedback, timeout=60).status == 200
            predictor = releases.open_release(Store(folder), chosen.release.id)[1]
            gaps = [predictor.gap(*pair) for pair in zip(given["answers"], wanted, strict=True)]
        finally:
            process.terminate()
        assert process.wait(60) == 0, "the script hands its process to the server, which a signal ends gently"
    assert max(gaps) < 1e-6
    assert (folder / ".windlass" / "serve").is_dir()
