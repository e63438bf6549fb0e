"""The commands that run a service and look after it: serve, keys, forget, releases, canary, rollback, ship."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from windlass.commands.options import GIVES, HERE, AsJson, ProjectFolder, show
from windlass.commands.speech import echo, prompt
from windlass.errors import DataError, NotReady

app = typer.Typer()
ServiceDatabase = Annotated[
    str,
    typer.Option(
        envvar="WINDLASS_DATABASE",
        metavar="URL",
        show_default=False,
        help="postgresql://user@host/name (none: a SQLite file of the project)",
    ),
]


@app.command("serve", help=GIVES["serve"])
def serve(
    project: ProjectFolder = HERE,
    host: Annotated[str, typer.Option(help="where to listen; others are let in only with a key")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any free one")] = 8000,
    otel: Annotated[str, typer.Option(help="collector for traces; env: as OTEL_EXPORTER_OTLP_ENDPOINT says")] = "",
    database: ServiceDatabase = "",
    allow_host: Annotated[
        list[str] | None, typer.Option(envvar="WINDLASS_ALLOW_HOST", help="a name that the Host header may have")
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(envvar="WINDLASS_ALLOW_ORIGIN", help="a page elsewhere that may ask, as https://shop.example.com"),
    ] = None,
    workers: Annotated[int, typer.Option(envvar="WINDLASS_WORKERS", help="processes that share the port")] = 1,
    cache: Annotated[int, typer.Option(metavar="N", help="answers to keep for rows that come again; 0: none")] = 0,
) -> None:
    from windlass.serving.contract.settings import Settings
    from windlass.serving.http.cross_origin import checked
    from windlass.spec import load
    from windlass.stages.serve import serve as run_service
    from windlass.store.store import Store

    settings = Settings(
        otel=otel,
        database=database,
        hosts=tuple(allow_host or ()),
        origins=tuple(checked(allow_origin or ())),
        access_log=os.environ.get("WINDLASS_LOG", ""),
        workers=workers,
        cache=cache,
    )
    run_service(load(project), Store(project.resolve()), host, port, echo, settings)


@app.command("mcp")
def serve_tools(
    project: ProjectFolder = HERE,
    url: Annotated[str, typer.Option(help="of a service that runs (none: one is started for the project)")] = "",
) -> None:
    """Offer the product to assistants that call tools. Model Context Protocol, over standard input and output."""
    from windlass.commands.mcp_server import run

    run(project, url)


keys = typer.Typer(no_args_is_help=True, help="Make, list and revoke the API keys of the service.")
app.add_typer(keys, name="keys")


def _memory(project: Path) -> Any:
    from windlass.database.location import memory
    from windlass.spec import load
    from windlass.store.store import Store

    load(project)
    return memory(Store(project.resolve()), os.environ.get("WINDLASS_DATABASE", ""))


FIRST_KEY = (
    "it is the first key: from now on a running service answers nobody without one, not even what is for everybody; "
    "`windlass keys create page` makes one of no group"
)


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="whose it is: a-z, 0-9 and -")],
    scope: Annotated[
        list[str] | None, typer.Option(help="predict, feedback, jobs, read or admin; may be repeated")
    ] = None,
    expires: Annotated[str, typer.Option(help="such as 90d; none: never")] = "",
    rate: Annotated[str, typer.Option(help="such as 10/s; none: no bound")] = "",
    quota: Annotated[str, typer.Option(help="requests, such as 100000/month; none: no bound")] = "",
    group: Annotated[
        list[str] | None, typer.Option(help="whose documents it may see, as `access:` names it; may be repeated")
    ] = None,
    project: ProjectFolder = HERE,
) -> None:
    """Make a key and show it once; as soon as there is one, every request needs one."""
    from windlass.database.keys import KeyRequest, create, listing

    wish = KeyRequest(name, tuple(scope or ["predict"]), expires, rate, quota, tuple(group or ()))
    place = _memory(project)
    is_first = not listing(place)
    _, token = create(place, wish)
    typer.echo(token)
    echo("this is the only time that it is shown; send it as 'Authorization: Bearer ...'", err=True)
    if is_first:
        echo(FIRST_KEY, err=True)


@keys.command("list")
def list_keys(project: ProjectFolder = HERE, as_json: AsJson = False) -> None:
    """List the keys: scopes, state, and how much of their quota is used."""
    from windlass.database.keys import shown
    from windlass.pages.text.listing import keys_text

    found = shown(_memory(project))
    show(found, as_json, keys_text(found))


@keys.command("revoke")
def revoke_key(name: Annotated[str, typer.Argument(help="its name or id")], project: ProjectFolder = HERE) -> None:
    """Refuse a key from now on, in a running service within two seconds."""
    from windlass.database.keys import revoke

    echo(f"revoked: {revoke(_memory(project), name).name}")


@keys.command("password")
def set_password(
    name: Annotated[str, typer.Argument(help="of the key")],
    remove: Annotated[bool, typer.Option("--remove", help="let no password open it")] = False,
    project: ProjectFolder = HERE,
) -> None:
    """Let the pages be signed in to by a key's name and a password, which is asked for; sessions of before end."""
    from windlass.database.keys import listing
    from windlass.database.sessions import set_password as keep
    from windlass.errors import SpecError, did_you_mean, expected

    place = _memory(project)
    known = {key.name: key for key in listing(place)}
    if name not in known:
        raise SpecError(f"there is no key '{name[:80]}', expected {expected(known)}", did_you_mean(name[:80], known))
    password = "" if remove else prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    keep(place, known[name].id, password)
    echo(f"no password opens '{name}'" if remove else f"'{name}' has a password")


@app.command()
def forget(
    ids: Annotated[list[str], typer.Argument(metavar="ID|DOCUMENT...", help="ids of answers, or paths of documents")],
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Delete answers, or a document, with proof. Of answers also what was asked, their feedback, and the rows that
    `improve` made of it; a document out of the store, the log and every release."""
    from windlass.pages.text.progress import bars
    from windlass.project import Project
    from windlass.records import as_json as plain

    opened = Project(project, bars(as_json))
    documents = {id: path for id in ids if (path := opened.document(id))}
    answers = [id for id in ids if id not in documents]
    if answers:
        _forget_answers(project, answers)
    for path in documents.values():
        receipt = opened.forget_document(path)
        show(plain(receipt), as_json, str(receipt))
        if receipt.fault and receipt.destroyed:
            raise NotReady(
                f"'{path}' is forgotten, and nothing is served: no release can be made without it ({receipt.fault})",
                "mend that, then `windlass run`",
            )


def _forget_answers(project: Path, ids: list[str]) -> None:
    from windlass.database.retention import forget as delete
    from windlass.improving.attempts import forget as delete_learned
    from windlass.store.store import Store

    n_learned = delete_learned(Store(project.resolve()), ids)
    n_answers = delete(_memory(project), ids)
    if not n_answers and not n_learned:
        raise DataError(
            f"nothing is forgotten: the log knows none of the {len(ids):,} ids, expected ids of answers",
            "an answer's id comes with it; `keep_days` may have deleted it before; a document is named by its path",
        )
    echo(f"{n_answers:,} of {len(ids):,} forgotten")


@app.command()
def releases(
    project: ProjectFolder = HERE,
    trail: Annotated[bool, typer.Option("--trail", help="who made which one champion, when and why")] = False,
    as_json: AsJson = False,
) -> None:
    """List the releases, the champion marked."""
    from windlass.pages.text.listing import releases_text, trail_text
    from windlass.registry.releases import listing, told
    from windlass.store.store import Store

    store = Store(project.resolve())
    found = told(store) if trail else listing(store)
    show(found, as_json, trail_text(found) if trail else releases_text(found))


@app.command()
def canary(
    release: Annotated[str, typer.Argument(help="its id")] = "",
    share: Annotated[float, typer.Option(help="of the requests, 0-1")] = 0.1,
    shadow: Annotated[bool, typer.Option("--shadow", help="it answers nobody and is only compared")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="end the trial")] = False,
    project: ProjectFolder = HERE,
) -> None:
    """Try a release beside the champion. It answers a share of the requests of every running service."""
    from windlass.registry import canaries as trials
    from windlass.store.store import Store

    store = Store(project.resolve())
    if stop:
        trials.stop(store, "windlass canary --stop", "asked for")
        echo("no release is on trial")
        return
    echo(f"on trial: {trials.start(store, release, share, shadow) if release else trials.running(store)}")


@app.command()
def rollback(project: ProjectFolder = HERE) -> None:
    """Make the release before this champion champion again."""
    from windlass.registry.releases import rollback as go_back
    from windlass.store.store import Store

    echo(f"champion: {go_back(Store(project.resolve()))}")


@app.command()
def ship(
    form: Annotated[str, typer.Argument(metavar="FORM", help="wheel, docker, kubernetes, systemd, grafana")],
    target: Annotated[Path, typer.Argument(metavar="FOLDER", help="a new folder")],
    host: Annotated[str, typer.Option(help="public name, such as desk.example.com: writes an Ingress")] = "",
    wheel: Annotated[Path | None, typer.Option(help="a wheel of Windlass to take along (none: made here)")] = None,
    project: ProjectFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Write the champion as a folder that runs elsewhere. By pip, as a container, on Kubernetes, under systemd."""
    from windlass.pages.text.progress import bars
    from windlass.records import as_json as plain
    from windlass.shipping import forms
    from windlass.spec import load
    from windlass.store.store import Store

    order = forms.ShipRequest(form, target, host, wheel)
    shipped = forms.ship(load(project), Store(project.resolve()), order, bars(as_json))
    show(plain(shipped), as_json, str(shipped))
