"""`trends.yaml` as a typed record: which column says when and what, who is watched, and when it is an alarm."""

from pathlib import Path
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from windlass.errors import NotReady, SpecError
from windlass.strict_yaml import Strict, read
from windlass.trends.alarms import Rule

FILE_NAME = "trends.yaml"
MOST_ENTITIES, MOST_ALIASES, LONGEST_ALIAS = 20_000, 100, 100


class Definition(Strict):
    """What to look for in a feed of texts, and what is too much of it."""

    wanted: ClassVar = {"dict_type": "a mapping, name: [other names]", "list_type": "a list, such as [negative]"}
    if_missing: ClassVar = "`windlass new opinion-watch` has a whole one to start from"

    time: str = Field(min_length=1, description="column that says when: 2025-03-31, 2025-03-31T09:30:00+08:00 ...")
    text: str = Field(min_length=1, description="column with the text")
    bad: list[str] = Field(min_length=1, description="answers of the product that count as bad, such as [negative]")
    entities: dict[str, list[str]] = Field(
        min_length=1, max_length=MOST_ENTITIES, description="name -> its other names; the name itself counts too"
    )
    ignore: list[str] = Field([], description="phrases that hold a name and mean something else, such as 'apple pie'")
    topics: str = Field("", description="folder of a second product that says what a text is about")
    timezone: str = Field("", description="such as Asia/Shanghai: where a day begins, for times with an offset")
    window: int = Field(28, ge=7, le=366, description="days of an entity's own past that a day is held against")
    least: int = Field(5, ge=1, description="fewer bad texts on a day are never an alarm")
    false_alarms_a_month: float = Field(1.0, gt=0, le=31, description="over all entities together, at most")
    language: Literal["en", "zh"] = Field("en", description="of the digest; the page has both")

    @field_validator("entities", mode="before")
    @classmethod
    def _entities(cls, value: Any) -> Any:
        """A name alone has no other names: `Kestrel:` in YAML."""
        return {name: others or [] for name, others in value.items()} if isinstance(value, dict) else value

    @field_validator("timezone")
    @classmethod
    def _timezone(cls, value: str) -> str:
        if value:
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise ValueError("expected a name of the IANA time zone database, such as 'Asia/Shanghai'") from None
        return value

    @property
    def rule(self) -> Rule:
        return Rule(self.window, self.least, self.false_alarms_a_month)


def load_definition(folder: Path) -> Definition:
    """The `trends.yaml` of the project. Raises: NotReady: no such file; SpecError: the first fault in it."""
    path = folder / FILE_NAME
    if not path.is_file():
        raise NotReady(
            f"{folder} has no {FILE_NAME}, expected one that says who is watched",
            "`windlass new opinion-watch` has one to start from",
        )
    found = read(Definition, path)
    _check_names(found, str(path))
    return found


def _check_names(found: Definition, where: str) -> None:
    """Raises: SpecError: a name is empty, too long or too many, or stands for two entities."""
    owners: dict[str, str] = {}
    for entity, others in found.entities.items():
        if len(others) > MOST_ALIASES:
            raise SpecError(f"{where}: '{entity}' has {len(others)} names, expected at most {MOST_ALIASES}")
        for name in [entity, *others]:
            if not any(sign.isalnum() for sign in name) or len(name) > LONGEST_ALIAS:
                raise SpecError(
                    f"{where}: a name of '{entity[:80]}' is '{name[:80]}', expected letters, at most {LONGEST_ALIAS}"
                )
            if owners.setdefault(name.casefold(), entity) != entity:
                raise SpecError(
                    f"{where}: '{name}' is a name of '{owners[name.casefold()]}' and of '{entity}', expected of one"
                )
