"""The state of a server: open or not, who has a key, and where a line about each request goes."""

from dataclasses import dataclass, field
from typing import NamedTuple

from windlass.serving.http.keyring import KeyRing
from windlass.serving.telemetry.access_log import AccessLog


class SocketLimits(NamedTuple):
    """Open connections at most, all together and of one address; a proxy is one address, too."""

    all: int = 4_000
    of_address: int = 1_000


@dataclass
class ServerState:
    """Shared by the edge, which counts what it begins, and the server, which shuts it and waits for the last."""

    ring: KeyRing | None = None
    access: AccessLog | None = None
    max_sockets: SocketLimits = field(default_factory=SocketLimits)
    is_open: bool = True
    n_begun: int = 0

    @property
    def is_guarded(self) -> bool:
        """True when a key must be shown."""
        return self.ring is not None and self.ring.is_needed
