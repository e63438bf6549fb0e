"""The Grafana dashboard over what `/metrics` tells: traffic, latency, errors, answers, feedback, queues, memory.

`dashboard.json` is Grafana's own format: edit it there, or in Grafana and export it.
Source: https://grafana.com/docs/grafana/latest/visualizations/dashboards/.
"""

import json
from pathlib import Path

from windlass.records import Json

TEMPLATE = Path(__file__).with_name("dashboard.json")
WRITING = ("Tokens", "Texts")
"""Titles of the panels, the last ones, that only products that write have."""


def dashboard(product: str, writes: bool = False) -> Json:
    """The dashboard, to be imported into Grafana or provisioned. writes: with the panels of a product that writes."""
    made: Json = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    panels = [panel for panel in made["panels"] if writes or panel["title"] not in WRITING]
    return made | {"title": f"Windlass: {product}", "uid": f"windlass-{product}"[:40], "panels": panels}
