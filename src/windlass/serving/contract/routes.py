"""The table of all that may be served: who may ask, how much, how soon it must be there and be answered."""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.routing import BaseRoute

from windlass.database.keys import SCOPES, KeyScope
from windlass.errors import SpecError, expected
from windlass.serving.contract.settings import MEBIBYTE


@dataclass(frozen=True)
class Route:
    """What a route takes: bytes of a body (0: none), seconds until it must be there, and the scope of its keys.

    answer_s: seconds that its answer may take once the request is there; None: a text's, `Settings.answer_s`.
    is_openai: its errors have the form of OpenAI's interface, which its clients read. is_plain: its errors are a text,
    as clients of Hugging Face and KServe read them. is_page: people look at it, and sign in where they may not.
    media: what its body may be, beside JSON.
    """

    max_bytes: int
    deadline_s: float
    scope: KeyScope
    answer_s: float | None = 15.0
    is_openai: bool = False
    is_plain: bool = False
    is_page: bool = False
    media: tuple[str, ...] = ()


ROWS = ("application/x-ndjson", "application/jsonl", "text/csv")
BINARY = ("", "application/octet-stream")
PICTURE = (*BINARY, "image/bmp", "image/gif", "image/jpeg", "image/png", "image/tiff", "image/webp")
Routes = Mapping[tuple[str, str], Route]
ROUTES: Routes = {
    ("POST", "/v1/predict"): Route(16 * MEBIBYTE, 10, "predict", None),
    ("POST", "/v1/explain"): Route(16 * MEBIBYTE, 10, "predict", None),
    ("GET", "/v1/examples"): Route(0, 5, "read"),
    ("POST", "/v1/feedback"): Route(256 * 1024, 10, "feedback"),  # 2,000 boxes of a crowded picture are 140 KB
    ("GET", "/v1/releases"): Route(0, 5, "read"),
    ("POST", "/v1/jobs"): Route(16 * MEBIBYTE, 10, "jobs", 60, media=ROWS),
    ("GET", "/v1/jobs/{id}"): Route(0, 5, "jobs"),
    ("GET", "/v1/jobs/{id}/result"): Route(0, 5, "jobs", 120),
    ("DELETE", "/v1/jobs/{id}"): Route(0, 5, "jobs"),
    ("DELETE", "/v1/answers/{id}"): Route(0, 5, "admin"),
    ("GET", "/v1/queue"): Route(0, 5, "admin", 60),
    ("GET", "/v1/refusals"): Route(0, 5, "admin", 60),
    ("POST", "/v1/refusals"): Route(256 * 1024, 10, "admin", 60),
    ("GET", "/v1/search"): Route(0, 5, "predict"),
    ("POST", "/v1/search"): Route(64 * 1024, 10, "predict"),
    ("POST", "/v1/tutor"): Route(4 * 1024, 5, "predict"),
    ("POST", "/v1/tutor/answers"): Route(4 * 1024, 5, "predict"),
    ("POST", "/v1/chat/completions"): Route(2 * MEBIBYTE, 10, "predict", None, is_openai=True),
    ("POST", "/v1/completions"): Route(2 * MEBIBYTE, 10, "predict", None, is_openai=True),
    ("POST", "/v1/embeddings"): Route(4 * MEBIBYTE, 10, "predict", 60, is_openai=True),
    ("GET", "/v1/models"): Route(0, 5, "predict", is_openai=True),
    ("GET", "/v1/models/{id}"): Route(0, 5, "predict", is_openai=True),
    ("POST", "/"): Route(16 * MEBIBYTE, 10, "predict", None, is_plain=True, media=PICTURE),
    ("POST", "/models/{id}"): Route(16 * MEBIBYTE, 10, "predict", None, is_plain=True, media=PICTURE),
    ("GET", "/v2"): Route(0, 5, "predict", is_plain=True),
    ("GET", "/v2/health/live"): Route(0, 5, "public", is_plain=True),
    ("GET", "/v2/health/ready"): Route(0, 5, "public", is_plain=True),
    ("GET", "/v2/models/{id}"): Route(0, 5, "predict", is_plain=True),
    ("GET", "/v2/models/{id}/ready"): Route(0, 5, "predict", is_plain=True),
    ("POST", "/v2/models/{id}/infer"): Route(16 * MEBIBYTE, 10, "predict", None, is_plain=True, media=BINARY),
    ("GET", "/health"): Route(0, 5, "public"),
    ("GET", "/health/live"): Route(0, 5, "public"),
    ("GET", "/health/ready"): Route(0, 5, "public"),
    ("GET", "/metrics"): Route(0, 5, "read"),
    ("GET", "/watch"): Route(0, 5, "read", is_page=True),
    ("GET", "/releases"): Route(0, 5, "admin", is_page=True),
    ("GET", "/roadmap"): Route(0, 5, "admin", is_page=True),
    ("GET", "/reports"): Route(0, 5, "admin", is_page=True),
    ("GET", "/reports/{id}"): Route(0, 5, "admin", is_page=True),
    ("GET", "/widget"): Route(0, 5, "public"),
    ("GET", "/widget.js"): Route(0, 5, "public"),
    ("GET", "/v1/board.csv"): Route(0, 5, "read"),
    ("GET", "/v1/board.xlsx"): Route(0, 5, "read"),
    ("GET", "/v1/answers.csv"): Route(0, 5, "admin", 120),
    ("GET", "/v1/answers.xlsx"): Route(0, 5, "admin", 120),
    ("GET", "/login"): Route(0, 5, "public", is_page=True),
    ("GET", "/v1/session"): Route(0, 5, "public"),
    ("POST", "/v1/session"): Route(4 * 1024, 5, "public"),
    ("DELETE", "/v1/session"): Route(0, 5, "public"),
    ("GET", "/openapi.json"): Route(0, 5, "public"),
    ("GET", "/docs"): Route(0, 5, "public"),
    ("GET", "/v1/plan"): Route(0, 5, "read"),
    ("GET", "/"): Route(0, 5, "public"),
    ("GET", "/chat"): Route(0, 5, "public"),
    ("GET", "/search"): Route(0, 5, "public"),
    ("GET", "/refusals"): Route(0, 5, "public"),
    ("GET", "/learn"): Route(0, 5, "public"),
    ("GET", "/class"): Route(0, 5, "admin", 60, is_page=True),
}
"""All that may be served; a path may hold `{id}` as one of its parts."""


def check_declared(routes: Sequence[BaseRoute], declared: Routes = ROUTES) -> Routes:
    """What these routes take.

    Raises: SpecError: a route without byte limit, deadlines and scope in `declared`, or with an unknown scope.
    """
    places = [
        (method, getattr(route, "path", str(route)))
        for route in routes
        for method in getattr(route, "methods", None) or ("any",)
    ]
    for method, path in places:
        if (method, path) not in declared:
            raise SpecError(f"route {method} {path} is not declared, expected its limits and scope in ROUTES")
        scope = declared[method, path].scope
        if scope not in SCOPES:
            raise SpecError(f"scope of {method} {path} is '{scope}', expected {expected(SCOPES)}")
    return {place: declared[place] for place in places}


class Places:
    """Finds the route of a request among these."""

    def __init__(self, routes: Routes) -> None:
        self.routes = routes
        self.paths = frozenset(path for _, path in routes)
        self._named = [tuple(path.split("/")) for path in sorted(self.paths) if "{id}" in path]

    def place(self, path: str) -> str:
        """The path as the table has it; as it is where the table has none such."""
        if path in self.paths:
            return path
        parts = path.split("/")
        for named in self._named:
            if len(named) == len(parts) and all(
                want == part or (want == "{id}" and _is_id(part)) for want, part in zip(named, parts, strict=True)
            ):
                return "/".join(named)
        return path

    def methods(self, path: str) -> list[str]:
        """The methods of a path of the table."""
        return [method for method, place in self.routes if place == path]


ID = frozenset(string.ascii_letters + string.digits + "-_.")


def _is_id(part: str) -> bool:
    return bool(part) and set(part) <= ID and not part.startswith(".")
