"""A small product in a folder of its own."""

from pathlib import Path

import pytest

from windlass.spec import Spec, parse
from windlass.store.store import Store

WORDS = {
    "refund": ("money back", "return the amount", "refund please", "退款"),
    "delivery": ("where is my parcel", "package late", "not arrived yet", "快递没到"),
    "account": ("cannot log in", "reset my password", "locked out", "登录不了"),
}


def messages(n_rows: int) -> list[tuple[str, str]]:
    """Rows (message, intent), all different, learnable."""
    labels = list(WORDS)
    return [
        (f"{WORDS[label][number // 3 % 4]} number {number}", label)
        for number in range(n_rows)
        for label in [labels[number % 3]]
    ]


class Product:
    """A project folder that tests write data into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder)

    def csv(self, rows: list[tuple[str, ...]], name: str = "data.csv", header: str = "message,intent") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")
        return path

    def spec(self, **changes: object) -> Spec:
        values = {
            "name": "desk",
            "data": "data.csv",
            "inputs": {"message": "text"},
            "output": {"intent": "category"},
            "learners": ["majority", "linear"],
            "minutes": 1.0,
        } | changes
        import yaml

        text = yaml.safe_dump(values, allow_unicode=True)
        (self.folder / "windlass.yaml").write_text(text, encoding="utf-8")
        return parse(text)


@pytest.fixture
def product(tmp_path: Path) -> Product:
    return Product(tmp_path)
