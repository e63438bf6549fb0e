"""The section `items` of `windlass.yaml`: how a log of events is read as histories of what somebody did with items."""

from typing import Any, Literal

from pydantic import Field, field_validator

from windlass.strict_yaml import Strict


class ItemShape(Strict):
    """Which columns of an event say what was done with what and when, what it weighs, and how it is measured."""

    item: str = Field(
        default="", description="column of the id of an item; not given: rows are histories already, not events"
    )
    time: str = Field(default="", description="column of the moment of an event; not given: rows are in order")
    event: str = Field(default="", description="column of what happened, such as view or buy")
    counts: dict[str, float] = Field(
        default={},
        max_length=100,
        description="what each event weighs, such as {buy: 5, view: 1}; 0: seen, and not wanted; not given: each 1",
    )
    rating: str = Field(default="", description="column of a number that says how much it was liked")
    liked: float | None = Field(default=None, description="of ratings: from which one on an item is liked")
    catalogue: str = Field(
        default="",
        max_length=1_000,
        description="a table of the items: their id, title, texts, categories; `available`, `min_age` and `margin` "
        "are heeded where it has them",
    )
    new: float = Field(default=0.0, ge=0, le=0.5, description="share of a list that is for items of no event")
    diverse: float = Field(
        default=0.0, ge=0, le=0.9, description="0: a list as it is wanted; more: not ten of a kind, by what is told"
    )
    margin: float = Field(
        default=0.0, ge=0, le=2, description="how much items that earn more stand higher; 1: as much as they are wanted"
    )
    split: Literal["time", "user"] = Field(
        default="time",
        description="time: what everybody did last is tested, all before it is known; user: the latest fifth of each "
        "user, which leaks time: others' later events are learned from",
    )
    explore: dict[str, float] = Field(
        default={},
        description="show now and then what is not known to be best, with its exact chance in the answer and the log: "
        "{epsilon: 0.05}, a share of the lists by chance, or {thompson: 0.5}, scores drawn as uncertainly as an item "
        "is known; `pool`: how many of the best items may be shown (50)",
    )
    candidates: Literal["all"] = Field(
        default="all", description="among which items right ones must be found when it is measured: all of them"
    )

    @field_validator("counts")
    @classmethod
    def _counts(cls, value: dict[str, float]) -> dict[str, float]:
        if any(weight < 0 for weight in value.values()):
            raise ValueError("expected weights of 0 or more, such as {buy: 5, view: 1, dislike: 0}")
        if value and not any(value.values()):
            raise ValueError("expected at least one event that weighs more than 0")
        return value

    @field_validator("explore")
    @classmethod
    def _explore(cls, value: dict[str, float]) -> dict[str, float]:
        ways = {"epsilon": (0.0, 0.5), "thompson": (0.0, 10.0), "pool": (2.0, 200.0)}
        if set(value) - set(ways) or (value and len(set(value) & {"epsilon", "thompson"}) != 1):
            raise ValueError("expected one way, such as {epsilon: 0.05} or {thompson: 0.5}, and `pool` where wanted")
        for name, found in value.items():
            low, high = ways[name]
            if not low <= found <= high:
                raise ValueError(f"{name} is {found:g}, expected {low:g} to {high:g}")
        return value

    @field_validator("candidates", mode="before")
    @classmethod
    def _candidates(cls, value: Any) -> Any:
        if value != "all":
            raise ValueError(
                "expected 'all': among a sample of the items models change places (Krichene & Rendle 2020, KDD)"
            )
        return value

    @property
    def columns(self) -> list[str]:
        """Those of an event that are named."""
        return [name for name in (self.item, self.time, self.event, self.rating) if name]

    def how(self) -> dict[str, Any]:
        """As the kind of histories reads an event by."""
        names = ("item", "time", "event", "rating", "counts", "liked", "new", "diverse", "margin", "explore")
        return {name: getattr(self, name) for name in names if getattr(self, name) not in ("", None, {}, 0.0)}
