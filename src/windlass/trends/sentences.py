"""What a digest and a page say, in English and Chinese: the same facts in the same order."""

from datetime import date

from windlass.metrics.measures import Estimate
from windlass.pages.text import bilingual
from windlass.pages.text.bilingual import LANGUAGES
from windlass.pages.text.words import NOTHING, count, number, percent, plain
from windlass.trends.record import EntityStatus, Event, Topic, Trends

MOST_CERTAIN = 100_000
"""Days beyond which a chance is only called rarer: nobody has tested so far a tail."""
WORDS = {
    "title": ("daily digest, {day}", "每日摘要，{day}"),
    "all": ("all texts", "全部文本"),
    "negative": ("negative", "负面"),
    "no_alarm": ("No alarm.", "没有警报。"),
    "too_short": (
        "No alarm can be given yet: {n} days of the feed are too few to know what is usual.",
        "目前还不能给出警报：数据只有 {n} 天，不足以判断平常水平。",
    ),
    "one_alarm": ("1 alarm: {names}.", "1 个警报：{names}。"),
    "alarms": ("{n} alarms: {names}.", "{n} 个警报：{names}。"),
    "day": (
        "{texts} texts on the day, {share} of them {bad}; {week} in the last 7 days, {before} in the days before.",
        "当日 {texts} 条文本，其中 {share} 为{bad}；最近 7 天 {week}，此前 {before}。",
    ),
    "event": ("{entity}: {n} {bad} texts, {usual} are usual", "{entity}：{n} 条{bad}文本，平常 {usual} 条"),
    "when": ("When", "时间"),
    "what": ("What", "情况"),
    "whom": ("Of whom", "涉及"),
    "about": ("About", "主题"),
    "sure": ("How sure", "把握"),
    "today": ("on {first}, the last day of the feed", "{first}，即数据的最后一天"),
    "since": (
        "since {first}, going on: {all} {bad} texts so far; the figures are of {peak}",
        "自 {first} 起，仍在继续：至今 {all} 条{bad}文本；数字为 {peak} 当日",
    ),
    "was": ("on {first}", "{first}"),
    "was_long": (
        "from {first} to {last}: {all} {bad} texts; the figures are of {peak}",
        "{first} 至 {last}：共 {all} 条{bad}文本；数字为 {peak} 当日",
    ),
    "both": ("more was said, and worse", "声量更大，语气也更差"),
    "volume": ("more was said, in the usual tone", "声量更大，语气与平常相同"),
    "tone": ("worse was said, by no more texts than usual", "语气变差，声量与平常相同"),
    "figures": (
        "{why}: {texts} texts, {usual_texts} are usual; {share} of them {bad}, before {share_before}",
        "{why}：{texts} 条文本，平常 {usual_texts} 条；其中 {share} 为{bad}，此前 {share_before}",
    ),
    "chance": (
        "a usual day has {usual} and hardly ever more than {high}; so many come by chance once in {days} days",
        "平常一天 {usual} 条，很少超过 {high} 条；偶然出现这么多，平均 {days} 天才有一次",
    ),
    "rarer": ("more than {n}", "超过 {n}"),
    "stands": (
        "it would be an alarm from {needed} on, so it stands if {spare} of the {n} are called {bad} wrongly",
        "达到 {needed} 条即为警报，因此即使 {n} 条中有 {spare} 条被误判为{bad}，警报仍然成立",
    ),
    "topic": ("{name} {n} of {all} ({share} before)", "{name} {n}/{all}（此前 {share}）"),
    "topic_new": ("{name} {n} of {all} (never before)", "{name} {n}/{all}（此前没有）"),
    "row": ("row", "行"),
    "sure_of": ("{share} sure", "置信度 {share}"),
    "events": ("Alarms", "警报"),
    "past_events": ("Alarms before", "此前的警报"),
    "entities": ("Who stands where", "各主体情况"),
    "other_texts": ("Other {bad} texts of the day", "当日其他{bad}文本"),
    "feed": ("The feed", "数据"),
    "entity": ("entity", "主体"),
    "texts_day": ("texts, day", "当日文本"),
    "bad_day": ("{bad}, day", "当日{bad}"),
    "texts_week": ("texts, 7 days", "7 天文本"),
    "share_week": ("{bad}, 7 days", "7 天{bad}占比"),
    "before": ("before", "此前"),
    "direction": ("trend", "趋势"),
    "mostly": ("mostly about", "主要主题"),
    "curve": ("{bad} texts a day", "每日{bad}文本"),
    "worse": ("worse", "变差"),
    "better": ("better", "变好"),
    "same": ("no clear change", "无明显变化"),
    "rows": (
        "{feed}: {rows} rows; counted {counted}, left out as repeated {repeated}, refused {refused}.",
        "{feed}：{rows} 行，计入 {counted} 行，重复略去 {repeated} 行，拒绝 {refused} 行。",
    ),
    "later": ("{n} rows of later days left out.", "略去之后日期的 {n} 行。"),
    "refused": ("{n} refused: {reason}, such as {first}", "拒绝 {n} 行：{reason}，例如 {first}"),
    "unreadable": ("not a whole row", "行不完整"),
    "no time": ("no time that can be read", "没有可读的时间"),
    "future": ("a time that has not come yet", "时间在未来"),
    "no text": ("no text", "没有文本"),
    "no answer": ("no answer was possible", "无法回答"),
    "silent": ("No texts at all on {days}.", "以下日期完全没有文本：{days}。"),
    "model": ("{product} answered, release {release}: {quality}.", "由 {product} 回答，版本 {release}：{quality}。"),
    "method": (
        "An alarm is a day with at least {least} {bad} texts about an entity, more than its own last {window} days "
        "explain (negative binomial, weekdays allowed for); the false ones of all entities together are kept to {rate} "
        "a month, as long as days scatter as they did. Shares of texts have 95 % intervals in parentheses, which count "
        "texts, not the model's mistakes. A text counts for each entity that it names, as a whole. 'Trend' compares 7 "
        "days with the {window} before and allows for the number of entities.",
        "警报：某主体一天内{bad}文本不少于 {least} 条，且多到其自身过去 {window} 天无法解释（负二项分布，已考虑星期）；"
        "只要日间波动与以往相同，全部主体合计每月误报不超过 {rate} 次。"
        "括号内为占比的 95% 区间，只反映文本数量，不含模型的误判。"
        "文本对其提到的每个主体整体计数。“趋势”比较最近 7 天与此前 {window} 天，并已考虑主体数量。",
    ),
    "chart": (
        "Bars: {bad} texts a day, orange on days with an alarm. Line: what is usual; dotted: hardly ever exceeded.",
        "柱：每日{bad}文本，警报日为橙色。实线：平常水平；虚线：很少超过的水平。",
    ),
}
WEEKDAYS = (
    ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
)


def say(language: str, key: str, **values: object) -> str:
    """A sentence of ours in one of the two languages."""
    return bilingual.say(WORDS, language, key, **values)


def with_weekday(day: str, language: str) -> str:
    """`2025-05-14, Wednesday`."""
    weekday = WEEKDAYS[LANGUAGES.index(language)][date.fromisoformat(day).weekday()]
    return f"{day}{'，' if language == 'zh' else ', '}{weekday}"


def bad_words(trends: Trends, language: str) -> str:
    """What bad texts are called: by their labels."""
    labels = trends.reading.bad
    return say(language, "negative") if labels == ["negative"] else f"'{plain(' / '.join(labels), 40)}'"


def name_of(entity: str, language: str) -> str:
    return plain(entity, 60) or say(language, "all")


def range_words(share: Estimate) -> str:
    """`22.1 % (18–27)`: a share with its interval, in percent."""
    if number(share.value) is None:
        return NOTHING
    return f"{percent(share.value)} ({share.low * 100:.0f}–{share.high * 100:.0f})"


def about(value: float) -> str:
    """A mean count, as exact as it is known: `0.4`, `8.2`, `31`."""
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def headline(trends: Trends, language: str) -> str:
    """Whether there is an alarm today, and about whom."""
    found = trends.open_events
    if not trends.has_past:
        return say(language, "too_short", n=len(trends.days))
    names = ("、" if language == "zh" else ", ").join(name_of(event.entity, language) for event in found)
    key = "no_alarm" if not found else "one_alarm" if len(found) == 1 else "alarms"
    return say(language, key, n=len(found), names=names)


def day_sentence(trends: Trends, language: str) -> str:
    whole = trends.everything
    return say(
        language,
        "day",
        texts=count(whole.day_texts),
        share=range_words(whole.day_share),
        week=range_words(whole.week),
        before=range_words(whole.before),
        bad=bad_words(trends, language),
    )


def event_title(event: Event, trends: Trends, language: str) -> str:
    return say(
        language,
        "event",
        entity=name_of(event.entity, language),
        n=count(event.bad),
        bad=bad_words(trends, language),
        usual=about(event.usual),
    )


def event_facts(event: Event, trends: Trends, language: str) -> list[tuple[str, str]]:
    """What happened, to whom, how sure: (what it is, the fact) each."""
    facts = [("when", _when(event, trends, language)), ("what", _what(event, trends, language))]
    if event.whom:
        named = [f"{plain(name, 60)} {count(n)}" for name, n in event.whom.items()]
        facts.append(("whom", ("，" if language == "zh" else ", ").join(named)))
    if event.topics:
        facts.append(("about", topics_sentence(event.topics, event.bad, language)))
    facts.append(("sure", _sure(event, trends, language)))
    return [(say(language, key), fact) for key, fact in facts]


def _when(event: Event, trends: Trends, language: str) -> str:
    is_long = event.first != event.last
    key = ("since" if is_long else "today") if event.is_open else ("was_long" if is_long else "was")
    return say(
        language,
        key,
        first=with_weekday(event.first, language),
        last=event.last,
        peak=event.peak,
        all=count(event.bad_in_all),
        bad=bad_words(trends, language),
    )


def _what(event: Event, trends: Trends, language: str) -> str:
    return say(
        language,
        "figures",
        why=say(language, event.why),
        texts=count(event.all_texts),
        usual_texts=about(event.usual_texts),
        share=range_words(event.share),
        share_before=range_words(event.share_before),
        bad=bad_words(trends, language),
    )


def _sure(event: Event, trends: Trends, language: str) -> str:
    chance = say(
        language, "chance", usual=about(event.usual), high=count(event.high), days=_once_in(event.chance, language)
    )
    spare = event.bad - event.needed
    stands = say(
        language, "stands", needed=count(event.needed), spare=count(spare), n=count(event.bad),
        bad=bad_words(trends, language),
    )  # fmt: skip
    if spare <= 0:
        return chance
    return f"{chance}{'；' if language == 'zh' else '; '}{stands}"


def _once_in(chance: float, language: str) -> str:
    if chance * MOST_CERTAIN <= 1:
        return say(language, "rarer", n=count(MOST_CERTAIN))
    days = 1 / chance
    step = 10 ** max(len(str(int(days))) - 2, 0)
    return count(round(days / step) * step)


def topics_sentence(topics: list[Topic], whole: int, language: str) -> str:
    """`regulation 12 of 17 (15.0 % before), ...`."""
    return ("，" if language == "zh" else ", ").join(
        say(
            language,
            "topic_new" if topic.share_before == 0 else "topic",
            name=plain(topic.name, 40),
            n=count(topic.texts),
            all=count(whole),
            share=percent(topic.share_before),
        )
        for topic in topics
    )


def direction_words(standing: EntityStatus, language: str) -> str:
    return say(language, {1: "worse", -1: "better", 0: "same"}[standing.direction])


def feed_sentences(trends: Trends, language: str) -> list[str]:
    """What was read, what was refused and why, who answered, and how to read it all."""
    read = trends.reading
    lines = [
        say(
            language,
            "rows",
            feed=plain(read.feed, 80),
            rows=count(read.rows),
            counted=count(read.counted),
            repeated=count(read.repeated),
            refused=count(sum(read.refused.values())),
        )
    ]
    lines += [
        say(language, "refused", n=count(n), reason=say(language, reason), first=plain(read.first_refused[reason], 120))
        for reason, n in sorted(read.refused.items(), key=lambda pair: -pair[1])
    ]
    if read.later:
        lines.append(say(language, "later", n=count(read.later)))
    if trends.silent:
        lines.append(say(language, "silent", days=", ".join(trends.silent)))
    lines += [
        say(language, "model", product=plain(model.product), release=model.release, quality=plain(model.quality))
        for model in read.models
    ]
    lines.append(
        say(
            language, "method", least=read.least, window=read.window, rate=f"{read.false_alarms_a_month:g}",
            bad=bad_words(trends, language),
        )
    )  # fmt: skip
    return lines
