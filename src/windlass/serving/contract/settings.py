"""The bounds of the service; each default is the recommendation."""

from dataclasses import dataclass, field

from windlass.database.keys import Rate
from windlass.records import Json

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """What a server accepts.

    max_rows: rows of one request. max_effort: what one may cost, in characters of text once it is normalised.
    deadline_s: seconds until a request must have arrived, headers and body each.
    max_waiting: predictions that may wait for their turn. max_held_bytes: request bytes in memory, all together.
    hosts: names beside the loopback ones that the Host header may hold (a reverse proxy's). origins: of
    other pages that may ask, such as https://shop.example.com. is_public: it listens
    where others reach it. keyless_rate: of one address without a key.
    access_log: `json` for a line about each request on stderr, else a file to append it to; empty: none.
    keep_inputs: keep what was asked in the request log. answer_s: seconds that one text may take to be written.
    explain_s: seconds that the explanations of one request may take, once its turn has come.
    new_labels: rows that a new label needs before `improve` learns it; 0: it learns none.
    otel: the collector of OpenTelemetry that gets traces; empty: nobody does.
    database: URL of the request log and the feedback; empty for a file of the project.
    cache: answers that are kept by the hash of what was asked; 0: none.
    look_s: seconds between two looks at which release is the champion. workers: processes that share the port.
    embed: origins whose pages may show the widget.
    workers_folder: folder where these count together what must be one number; empty: there is one process.
    """

    max_rows: int = 256
    max_effort: int = 2_000_000
    max_bytes: int = 16 * MEBIBYTE
    max_held_bytes: int = 128 * MEBIBYTE
    deadline_s: float = 10.0
    max_waiting: int = 64
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    is_public: bool = False
    keyless_rate: Rate | None = None
    access_log: str = ""
    keep_inputs: bool = False
    new_labels: int = 0
    answer_s: float = 120.0
    explain_s: float = 10.0
    otel: str = ""
    database: str = field(default="", repr=False)
    cache: int = 0
    look_s: float = 1.0
    workers: int = 1
    embed: tuple[str, ...] = ()
    workers_folder: str = ""

    @classmethod
    def from_json(cls, values: Json) -> "Settings":
        """What `asdict` gave, after JSON has made lists of its tuples."""
        given: Json = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        rate = given.get("keyless_rate")
        return cls(**{**given, "keyless_rate": Rate(*rate) if rate else None})
