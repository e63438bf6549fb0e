"""The state of a server: open or not, who has a key, and where a line about each request goes."""

import time
from dataclasses import dataclass, field
from typing import NamedTuple

from windlass.serving.http.intake import Intake
from windlass.serving.http.keyring import KeyRing
from windlass.serving.http.sessions import SessionRing
from windlass.serving.http.shedding import Shedder
from windlass.serving.telemetry.access_log import AccessLog


class SocketLimits(NamedTuple):
    """Open connections at most, all together and of one address; a proxy is one address, too."""

    all: int = 4_000
    of_address: int = 1_000


@dataclass
class ServerState:
    """Shared by the edge, which counts what it begins, and the server, which shuts it and waits for the last.

    grace_s: from the order to stop until the process has ended; last_s: of it: before that, what is still being sent is
    cut off. stop_by: when that is.
    """

    ring: KeyRing | None = None
    access: AccessLog | None = None
    max_sockets: SocketLimits = field(default_factory=SocketLimits)
    grace_s: float = 10.0
    last_s: float = 2.5
    intake: Intake = field(default_factory=Intake)
    shedder: Shedder = field(default_factory=Shedder)
    is_open: bool = True
    stop_by: float = float("inf")
    n_begun: int = 0
    _sessions: SessionRing | None = None

    def shut(self) -> None:
        """What comes from now on is refused, what was begun is finished."""
        self.is_open = False
        self.stop_by = time.monotonic() + self.grace_s - self.last_s

    @property
    def is_guarded(self) -> bool:
        """True when a key must be shown."""
        return self.ring is not None and self.ring.is_needed

    @property
    def sessions(self) -> SessionRing | None:
        """Who has signed in; none where there are no keys to sign in with."""
        if self.ring is not None and (self._sessions is None or self._sessions.ring is not self.ring):
            self._sessions = SessionRing(self.ring)
        return self._sessions
