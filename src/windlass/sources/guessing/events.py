"""Whether a table is a log: who did what with which item, perhaps when; and what stands beside it of the items."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from windlass.errors import WindlassError
from windlass.kinds.contract import is_missing
from windlass.kinds.items import item_id, seconds
from windlass.records.catalogue import TITLES
from windlass.sources.columns import is_number, numbers_of
from windlass.sources.contract import Source
from windlass.sources.guessing.record import Guess, Reading
from windlass.sources.places import TABLES, table

HISTORY, ANSWER = "history", "recommended"
USER = re.compile(
    r"(user|customer|client|member|visitor|buyer|reader|session|person|account|viewer)[ _]?(id|no|number|name)?"
    r"|(id|no)[ _](user|customer|client|member)|(用户|客户|会员|顾客|买家|读者)[ _]?(id|编号|号|名)?",
    re.IGNORECASE,
)
ITEM = re.compile(
    r"(item|product|movie|film|book|song|track|artist|article|news|video|game|sku|goods|ad|course|recipe|isbn|asin)"
    r"[ _]?(id|no|number|code)?"
    r"|(商品|物品|产品|电影|图书|书籍|文章|新闻|视频|歌曲|音乐|课程|游戏)[ _]?(id|编号|号|编码)?",
    re.IGNORECASE,
)
TIME = re.compile(r"(time|date|timestamp|datetime|at|when|ts|created|created_at|event_time|时间|日期|时间戳)", re.I)
EVENT = re.compile(
    r"(event|action|type|behaviou?r|interaction|activity)([ _]?(type|name))?|(行为|事件|动作|操作)(类型)?",
    re.IGNORECASE,
)
RATING = re.compile(r"(rating|score|stars?|rate|grade|评分|打分|星级|得分)", re.IGNORECASE)
WEIGHTS = (
    (re.compile(r"dislike|not_?interested|skip|hide|return|refund|unsubscribe|不喜欢|不感兴趣|退货|跳过", re.I), 0),
    (re.compile(r"buy|bought|purchase|order|pay|subscribe|购买|下单|支付|成交|订购", re.I), 5),
    (re.compile(r"cart|basket|fav|like|love|save|share|wish|follow|收藏|加购|购物车|喜欢|点赞|分享|关注", re.I), 3),
)
"""What an event is called -> what it usually weighs; others 1."""
LEAST_ROWS, LEAST_EACH, MOST_OTHERS, MOST_EVENTS = 10, 1.5, 3, 20
READABLE, COVERED, LIKED = 0.95, 0.5, 0.8
N_READ = 200_000


@dataclass
class FoundLog:
    """Which columns say what. counts: event -> weight."""

    user: str
    item: str
    time: str = ""
    event: str = ""
    rating: str = ""
    counts: dict[str, float] = field(default_factory=dict)
    liked: float = 0.0
    catalogue: str = ""

    def as_spec(self) -> dict[str, Any]:
        """The section `items` of windlass.yaml."""
        values = {"item": self.item, "time": self.time, "event": self.event, "counts": self.counts,
                  "rating": self.rating, "liked": self.liked, "catalogue": self.catalogue}  # fmt: skip
        return {name: value for name, value in values.items() if value}


def read_as_log(
    found: Guess, columns: Mapping[str, Sequence[Any]], source: Source, project: Path, wanted: bool
) -> bool:
    """Completes the guess where the table is a log of events. wanted: a person says that it is one."""
    made = find_log(columns, wanted)
    if made is None:
        return False
    beside = _catalogue(made, columns, source)
    if beside is not None:
        made.catalogue = _relative(beside, project)
    found.inputs, found.output, found.output_kind = {HISTORY: "items"}, ANSWER, "items"
    found.group, found.items = made.user, made.as_spec()
    found.goal, found.gate = "ndcg_at_10", "ndcg_at_10 >= 0.10"
    found.reasons += _reasons(made, columns)
    for name in columns:
        if name not in (made.user, made.item, made.time, made.event, made.rating):
            found.left_out[name] = "says nothing of who wants what"
    if made.rating and not wanted:
        words = f"'{made.rating}' as a number, told from the other columns of the same row"
        found.close(Reading(made.rating, "number", "which items somebody wants next", words))
    return True


def find_log(columns: Mapping[str, Sequence[Any]], wanted: bool = False) -> FoundLog | None:
    """The columns of users and items, by name and by how often values come again; None: it is no log."""
    names = {name: name.strip() for name in columns}
    user = next((name for name, each in names.items() if USER.fullmatch(each)), "")
    item = next((name for name, each in names.items() if ITEM.fullmatch(each) and name != user), "")
    if not user or not item or len(columns[user]) < LEAST_ROWS:
        return None
    made = FoundLog(user, item)
    rest = {name: values for name, values in columns.items() if name not in (user, item)}
    made.time = next(
        (name for name, values in rest.items() if TIME.fullmatch(names[name]) and _are_moments(values)), ""
    )
    made.rating = next(
        (name for name, values in rest.items() if RATING.fullmatch(names[name]) and _are_numbers(values)), ""
    )
    made.event = next((name for name, values in rest.items() if EVENT.fullmatch(names[name]) and _are_few(values)), "")
    if made.rating:
        made.event = ""
        made.liked = _liked(columns[made.rating])
    elif made.event:
        made.counts = {name: _weight(name) for name in sorted(set(map(str, columns[made.event])) - {"", "None"})}
        made.counts = made.counts if any(made.counts.values()) else dict.fromkeys(made.counts, 1.0)
    n_others = len(rest) - sum(map(bool, (made.time, made.rating, made.event)))
    says_enough = bool(made.time or made.rating or made.event) and n_others <= MOST_OTHERS
    return made if wanted or (says_enough and _come_again(columns[user], columns[item])) else None


def _come_again(users: Sequence[Any], items: Sequence[Any]) -> bool:
    """Users have several items, and items several users."""
    pairs = {(str(user), str(item)) for user, item in zip(users, items, strict=True)}
    n_users, n_items = len({user for user, _ in pairs}), len({item for _, item in pairs})
    return min(n_users, n_items) >= 2 and len(pairs) / n_users >= LEAST_EACH and len(pairs) / n_items >= LEAST_EACH


def _are_moments(values: Sequence[Any]) -> bool:
    sample = [value for value in values[:1_000] if not is_missing(value)]
    return bool(sample) and sum(map(_is_moment, sample)) >= READABLE * len(sample)


def _is_moment(value: Any) -> bool:
    try:
        return seconds(value) >= 0
    except ValueError:
        return False


def _are_numbers(values: Sequence[Any]) -> bool:
    sample = [value for value in values[:1_000] if not is_missing(value)]
    return bool(sample) and all(map(is_number, sample))


def _are_few(values: Sequence[Any]) -> bool:
    sample = Counter(str(value) for value in values if not is_missing(value))
    return 1 <= len(sample) <= MOST_EVENTS and not all(map(is_number, sample))


def _liked(values: Sequence[Any]) -> float:
    """Four fifths of the highest rating: 4 of 5 stars, 8 of 10."""
    highest = max(numbers_of(values), default=1.0)
    return float(f"{LIKED * highest:.3g}") if highest > 1 else float(highest)


def _weight(event: str) -> float:
    return float(next((weight for pattern, weight in WEIGHTS if pattern.search(event)), 1))


def _reasons(made: FoundLog, columns: Mapping[str, Sequence[Any]]) -> list[str]:
    users, items = (len({str(value) for value in columns[name]}) for name in (made.user, made.item))
    said = [
        f"a log: in {len(columns[made.user]):,} rows that were looked at {users:,} different '{made.user}' and "
        f"{items:,} '{made.item}', so what somebody may want next is recommended"
    ]
    if made.time:
        said.append(
            f"'{made.time}' says when: what everybody did last is tested (`split: time`), as it would be in use"
        )
    else:
        said.append("no column says when: rows count as in order, and the split leaks time")
    if made.rating:
        said.append(f"'{made.rating}' of {made.liked:g} or more counts as liked (`liked`), four fifths of the highest")
    if made.counts:
        shown = ", ".join(f"{name} {weight:g}" for name, weight in list(made.counts.items())[:8])
        said.append(f"what an event weighs, by its name: {shown}; 0: not wanted (`counts`)")
    if made.catalogue:
        said.append(f"catalogue {made.catalogue}: it has the column '{made.item}' and says more of the items")
    said.append("goal ndcg_at_10: how high what was liked stands among the first ten of all items")
    return said


def _catalogue(made: FoundLog, columns: Mapping[str, Sequence[Any]], source: Source) -> Path | None:
    """A table beside the log with a row an item, one with titles before others."""
    ids = set()
    for value in columns[made.item]:
        try:
            ids.add(item_id(value))
        except ValueError:
            continue
    found = []
    for path in sorted(source.path.parent.iterdir()):
        if path == source.path or path.suffix.lower() not in TABLES or not path.is_file():
            continue
        if (rank := _tells_of(path, made, ids)) is not None:
            found.append((-rank, path.name, path))
    return min(found)[2] if found else None


def _tells_of(path: Path, made: FoundLog, ids: set[str]) -> int | None:
    """How much it tells of the items: texts count, titles most; None: it is no table of them."""
    try:
        rows = [raw.values for raw in islice(table(path, path.parent / ".unpacked").rows(), N_READ) if raw.values]
    except (WindlassError, OSError):
        return None
    if not rows or made.item not in rows[0] or made.user in rows[0]:
        return None
    given = []
    for row in rows:
        try:
            given.append(item_id(row.get(made.item)))
        except ValueError:
            continue
    if len(set(given)) < READABLE * len(rows) or len(ids & set(given)) < COVERED * len(ids):
        return None
    has_title = any(name.strip().lower() in TITLES for name in rows[0])
    texts = sum(isinstance(value, str) and not is_number(value) for value in rows[0].values())
    return 100 * has_title + texts


def _relative(path: Path, project: Path) -> str:
    try:
        return path.resolve().relative_to(project.resolve()).as_posix()
    except ValueError:
        return str(path.resolve())
