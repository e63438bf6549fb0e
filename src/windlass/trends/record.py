"""What `windlass trends` found, as plain records that turn into JSON, a page and a digest."""

from dataclasses import dataclass, field

from windlass.metrics.measures import Estimate


@dataclass(frozen=True)
class Text:
    """A text of the feed with what was answered; confidence: 0-1, null where it is not known."""

    row: int
    time: str
    text: str
    answer: str
    confidence: float | None
    topic: str
    entities: list[str]


@dataclass(frozen=True)
class Topic:
    """How many of the bad texts are about it, and the share of it among the bad texts of the days before (0-1)."""

    name: str
    texts: int
    share_before: float | None


@dataclass(frozen=True)
class Event:
    """An alarm: days that follow each other with more bad texts about an entity than its own past explains.

    peak: the most surprising day, which all figures are of. usual, high: mean and 97.5 % quantile of such a day had
    nothing changed; chance: of so many then; needed: fewer would be no alarm. all_texts, usual_texts: good ones too.
    why: 'volume' (more was said, as usual), 'tone' (worse was said, no more than usual) or 'both'. whom: entity -> how
    many of the bad texts name it, where the alarm is of all texts.
    rows: of the texts that caused it, the first thousand; texts: the surest of them, whole.
    """

    entity: str
    first: str
    last: str
    is_open: bool
    peak: str
    bad: int
    bad_in_all: int
    usual: float
    high: int
    chance: float
    needed: int
    all_texts: int
    usual_texts: float
    share: Estimate
    share_before: Estimate
    why: str
    topics: list[Topic]
    whom: dict[str, int] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)


@dataclass(frozen=True)
class Series:
    """Counts of each day of the feed; usual and high are null where the past is too short."""

    texts: list[int]
    bad: list[int]
    usual: list[float | None]
    high: list[int | None]
    is_alarm: list[bool]


@dataclass(frozen=True)
class EntityStatus:
    """How an entity stands ('' = all texts). day_...: of the last day; week, before: share of bad texts in the last
    seven days and in the window before them; change: their difference, with an interval that allows for the number of
    entities. topics: of the bad texts of the week."""

    entity: str
    day_texts: int
    day_bad: int
    day_share: Estimate
    week_texts: int
    week: Estimate
    before: Estimate
    change: Estimate
    topics: list[Topic]
    series: Series

    @property
    def direction(self) -> int:
        """1: worse than before, -1: better, 0: that cannot be told."""
        return (self.change.low > 0) - (self.change.high < 0)


@dataclass(frozen=True)
class Model:
    """Who answered: a product, its release, and how good it was when it was made, in words."""

    product: str
    release: str
    quality: str


@dataclass(frozen=True)
class Reading:
    """What was read, by whom it was answered, and what was asked for.

    rows = counted + repeated + later + the sum of refused; first_refused: reason -> the first such row, in words.
    """

    product: str
    feed: str
    models: list[Model]
    bad: list[str]
    window: int
    least: int
    false_alarms_a_month: float
    rows: int
    counted: int
    repeated: int
    later: int
    refused: dict[str, int]
    first_refused: dict[str, str]


@dataclass(frozen=True)
class Trends:
    """All of it. day: the last one that was read; days: those with texts; silent: the others of the last window.

    has_past: there are enough days to tell what is unusual. everything: all texts together. entities: first those that
    became worse. events: the newest first. texts: bad ones of the last day about others than those with an alarm.
    """

    reading: Reading
    day: str
    days: list[str]
    silent: list[str]
    has_past: bool
    everything: EntityStatus
    entities: list[EntityStatus]
    events: list[Event]
    texts: list[Text] = field(default_factory=list)

    @property
    def open_events(self) -> list[Event]:
        return [event for event in self.events if event.is_open]
