"""`windlass mcp`: a served product as tools of the Model Context Protocol, for assistants that call tools.

Each call is a request to the service, with a key of its own: keys, limits and the log are those of everybody else.

Source: https://modelcontextprotocol.io (stdio transport), and its official Python SDK.
"""

import os
import subprocess
import sys
from asyncio import to_thread
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from windlass.client import Client
from windlass.errors import NotReady, pip_install
from windlass.spec import FILE_NAME

STARTED = "http://"
"""How the address begins that `windlass serve` prints once it serves."""
Json = dict[str, Any]


def run(project: Path, url: str) -> None:
    """Speaks to whoever started this, over standard input and output, until that is closed.

    url: of a running service; '' = one is started for this project on a free port, and ends with this.
    Raises: NotReady: the package is not installed, or there is no service. SpecError: the key.
    """
    try:
        import mcp.server.fastmcp  # noqa: F401
    except ImportError:
        raise NotReady("'mcp' is not installed, expected it for `windlass mcp`", pip_install("mcp")) from None
    with _service(project, url) as place, Client(place) as client:
        server_of(client).run("stdio")


def server_of(client: Client) -> Any:
    """The server with its tools; what the product reads and answers stands in their descriptions."""
    from mcp.server.fastmcp import FastMCP

    product = client.health()["product"]
    about = client.description()["info"]["description"]
    server = FastMCP(product, instructions=f"{product}: {about} Tell people how sure an answer is.", log_level="ERROR")

    @server.tool(description=f"{about} `row`: an object with a value for each input, null where it is not known.")
    async def ask(row: Json) -> Json:
        return await to_thread(lambda: vars(client.predict(row)[0]))

    @server.tool(description="Why a row is answered so: what each part of it is worth. `label`: another answer.")
    async def explain(row: Json, label: str = "") -> Json:
        return await to_thread(lambda: client.explain(row, label)[0])

    @server.tool(description="Say what was right: `id` of an answer, and `correct`, or `right` true or false.")
    async def feedback(id: str, correct: Any = None, right: bool | None = None, note: str = "") -> Json:
        return await to_thread(lambda: vars(client.feedback(id, correct, right, note)))

    @server.tool(description="What is served, since when, whether it is ready, and whether feedback can teach it.")
    async def status() -> Json:
        return await to_thread(client.health)

    @server.tool(description="What to do next: the roadmap that `windlass plan` made last; empty: none yet.")
    async def plan() -> Json:
        return await to_thread(client.plan)

    return server


@contextmanager
def _service(project: Path, url: str) -> Iterator[str]:
    """The address of the service that is asked. Its own words are read here: standard output is the protocol's."""
    if url:
        yield url
        return
    if not (project / FILE_NAME).is_file():
        hint = "`--project FOLDER` names one, or `--url` a service that runs"
        raise NotReady(f"{project} has no {FILE_NAME}, expected a project", hint)
    command = [sys.executable, "-m", "windlass", "serve", "--project", str(project), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as service:
        assert service.stdout is not None
        try:
            yield _address(service.stdout)
        finally:
            service.terminate()


def _address(lines: Iterable[str]) -> str:
    for line in lines:
        for word in line.split():
            if word.startswith(STARTED):
                return word.rstrip("/.,")
    raise NotReady("service did not start, expected it to serve", "`windlass serve` says why")
