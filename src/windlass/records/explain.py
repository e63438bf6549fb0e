"""Why a row was answered so."""

from dataclasses import asdict, dataclass, field

from windlass.records.contract import Json


@dataclass(frozen=True)
class Part:
    """A part of a row, and what it is worth for the answer that is explained.

    weight: above 0 it speaks for the answer, below 0 against it; in the explanation's unit. words: the part itself, or
    why it counts. span: characters (start, end) of the column's text; box: left, top, right, bottom as shares of the
    picture; neither: the whole column, or what the column does not hold.
    """

    column: str
    words: str
    weight: float
    span: tuple[int, int] | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Explanation:
    """Why a row was answered so: what each part of it is worth.

    label: the answer that is explained; confidence: 0-1, null where it is not known. unit: of weights, base and total.
    base: where nothing of the row is known; total: of the row as it is. adds_up: base and weights sum to the total.
    texts: the texts that spans count in; pictures: column -> data: URI of what boxes lie on, for people, not in JSON.
    sides: words for what weights above and below 0 do, for people, too. places: decimals of an answer that is a number,
    where people read it; None: it is none.
    """

    label: str
    confidence: float | None
    method: str
    unit: str
    base: float
    total: float
    adds_up: bool
    n_evaluations: int
    parts: tuple[Part, ...]
    texts: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    sides: tuple[str, str] = ("speaks for it", "speaks against it")
    places: int | None = None

    def as_json(self) -> Json:
        """Parts in the order of the row; `share` is a part's of all weights, sign left out, 0-1."""
        whole = sum(abs(part.weight) for part in self.parts) or 1.0
        parts = [
            {
                "column": part.column,
                "words": part.words,
                "weight": round(part.weight, 6),
                "share": round(abs(part.weight) / whole, 4),
                **({"span": list(part.span)} if part.span else {}),
                **({"box": [round(side, 4) for side in part.box]} if part.box else {}),
            }
            for part in self.parts
        ]
        values = {name: value for name, value in asdict(self).items() if name not in ("pictures", "sides", "places")}
        return {**values, "base": round(self.base, 6), "total": round(self.total, 6), "parts": parts}
