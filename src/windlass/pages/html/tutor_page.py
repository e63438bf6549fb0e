"""Pages of a tutor without a script, in English and Chinese: for a learner, and for the teacher of the class."""

from collections.abc import Sequence

from windlass.pages.html.style import STYLE
from windlass.pages.text import bilingual
from windlass.pages.text.bilingual import both
from windlass.pages.text.words import escaped
from windlass.records.tutoring import ClassState, LearnerState, Replay, SkillState, Suggestion, Wording

MASTERED, WEAK = 0.8, 0.4
OWN_STYLE = """
.bar { position: relative; height: 14px; min-width: 120px; background: var(--wash); border-radius: 7px; }
.bar i { position: absolute; top: 0; bottom: 0; background: var(--accent); opacity: 0.3; border-radius: 7px; }
.bar b { position: absolute; top: -2px; bottom: -2px; width: 3px; background: var(--accent); border-radius: 2px; }
.try { font-size: 21px; margin: 4px 0 8px; } details { margin: 6px 0; max-width: 75ch; }
summary { cursor: pointer; color: var(--accent); padding: 6px 0; }
table.plain td.heat { text-align: center; font-size: 13px; padding: 6px; }
.skill { white-space: nowrap; }
"""
WORDS = {
    "next": ("Try this next", "接下来做这一题"),
    "others": ("Or one of these", "也可以做"),
    "hint": ("A hint", "提示"),
    "example": ("A worked example", "例题"),
    "answer": ("The answer", "答案"),
    "skills": ("What you can do", "你掌握了什么"),
    "skill": ("skill", "知识点"),
    "now": ("right now, with 90 % range", "现在能做对的比例（90% 区间）"),
    "tries": ("tries", "次数"),
    "last": ("last try", "上次练习"),
    "never": ("not yet", "还没有"),
    "ago": ("{days} days ago", "{days} 天前"),
    "today": ("today", "今天"),
    "needs": ("first needs: {skills}", "先要学会：{skills}"),
    "chance": ("you will be right with {chance} %", "你做对的可能为 {chance}%"),
    "expected": (
        "chosen for what it is expected to teach, neither too easy nor too hard",
        "按预期的学习效果选出，难度适中",
    ),
    "nothing": ("Nothing was tried yet.", "还没有做过题。"),
    "class": ("The class", "班级"),
    "where": ("Where learners stand", "学生的掌握情况"),
    "learner": ("learner", "学生"),
    "all": ("all", "总体"),
    "help": ("Who needs help with what", "谁在哪里需要帮助"),
    "weak": ("{count} of {all} are below {share} %", "{all} 人中有 {count} 人低于 {share}%"),
    "ready": ("mastered by {count}", "{count} 人已掌握"),
    "suggested": ("next", "下一题"),
    "replay": ("What the log says of such suggestions", "练习记录怎样评价这样的建议"),
    "tried": ("tries", "次数"),
    "was_right": ("right", "做对"),
    "then": ("next try of the skill right", "同一知识点下一次做对"),
    "foretold": ("expected before it", "此前预期"),
    "would": ("would have been suggested", "会被建议的"),
    "not": ("would not", "不会被建议的"),
    "no_claim": (
        "No causal claim: learners and teachers chose these tries, not chance. What else would have happened, only a "
        "trial with learners drawn by lot can say.",
        "不作因果断言：这些练习由学生和老师选择，并非随机。换一种做法会怎样，只有随机分组的试验才能回答。",
    ),
    "model": (
        "Shares are told by a model of ability, practice and forgetting; the range holds the truth nine times of ten "
        "where the model is right.",
        "比例由能力、练习与遗忘的模型估计；模型成立时，真实值十次中有九次落在区间内。",
    ),
}


def say(key: str, **values: object) -> str:
    """The words in both languages, as HTML."""
    return both(*(bilingual.say(WORDS, language, key, **values) for language in bilingual.LANGUAGES))


def learner_page(state: LearnerState, language: str = "en") -> str:
    """What one learner sees: what is next, with hint, example and answer behind a fold, and what is known."""
    best, others = state.suggestions[:1], state.suggestions[1:]
    parts = [f"<header><h1>{escaped(state.learner)}</h1></header>"]
    parts += [f"<section><h2>{say('next')}</h2>{_suggestion(each)}</section>" for each in best]
    if others:
        parts.append(f"<section><h2>{say('others')}</h2>{''.join(_suggestion(each) for each in others)}</section>")
    parts.append(f"<section><h2>{say('skills')}</h2>{_skills(state)}<p class=quiet>{say('model')}</p></section>")
    return _page(state.learner, "".join(parts), language)


def class_page(state: ClassState, language: str = "en") -> str:
    """What the teacher sees: every learner and skill, who needs help, and what the log says of suggestions."""
    parts = [f"<header><p class=over>{escaped(state.product)}</p><h1>{say('class')}</h1></header>"]
    parts.append(f"<section><h2>{say('help')}</h2>{_help(state.learners)}</section>")
    parts.append(f"<section><h2>{say('where')}</h2>{_heat(state)}<p class=quiet>{say('model')}</p></section>")
    if state.replay:
        parts.append(f"<section><h2>{say('replay')}</h2>{_replay(state.replay)}<p>{say('no_claim')}</p></section>")
    return _page(state.product, "".join(parts), language)


def _page(title: str, inside: str, language: str) -> str:
    style = STYLE + bilingual.STYLE + OWN_STYLE
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escaped(title)}</title><style>{style}</style></head>\n"
        f"<body>{bilingual.main(inside, language)}</body></html>\n"
    )


def _words(of: Wording) -> str:
    return both(of.en, of.zh)


def _suggestion(of: Suggestion) -> str:
    text = _words(of.text) if of.text.en else escaped(of.exercise)
    folds = [
        f"<details><summary>{say(key)}</summary><p>{inside}</p></details>"
        for key, inside in (("hint", _words(of.hint)), ("example", _words(of.example)), ("answer", escaped(of.answer)))
        if inside
    ]
    chance = say("chance", chance=round(100 * of.chance))
    why = f"<p class=quiet>{escaped(of.exercise)} · {chance} · {say('expected')}</p>"
    return f"<p class=try>{text}</p>{''.join(folds)}{why}"


def _skills(state: LearnerState) -> str:
    rows = "".join(
        f"<tr><td><span class=skill>{_words(each.name)}</span>{_needs(each, state)}</td><td>{_bar(each)}</td>"
        f"<td class=n>{round(100 * each.share)} %</td><td class=n>{each.tries}</td><td class=n>{_last(each)}</td></tr>"
        for each in state.skills
    )
    head = f"<th>{say('skill')}<th>{say('now')}<th><th class=n>{say('tries')}<th class=n>{say('last')}"
    return f"<div class=scroll><table class=plain><tr>{head}</tr>{rows}</table></div>"


def _needs(of: SkillState, state: LearnerState) -> str:
    if of.is_open:
        return ""
    names = {each.skill: each.name for each in state.skills}
    en, zh = (", ".join(getattr(names[each], language) for each in of.needs) for language in bilingual.LANGUAGES)
    words = [bilingual.say(WORDS, "en", "needs", skills=en), bilingual.say(WORDS, "zh", "needs", skills=zh)]
    return f"<br><span class=quiet>{both(*words)}</span>"


def _bar(of: SkillState) -> str:
    low, high, at = (round(100 * each, 1) for each in (of.low, of.high, of.share))
    return f'<div class=bar><i style="left:{low}%;width:{round(high - low, 1)}%"></i><b style="left:{at}%"></b></div>'


def _last(of: SkillState) -> str:
    if of.days < 0:
        return say("never")
    return say("today") if of.days < 1 else say("ago", days=round(of.days))


def _help(learners: Sequence[LearnerState]) -> str:
    lines = []
    for number, skill in enumerate(learners[0].skills if learners else ()):
        weak = sorted((each for each in learners if each.skills[number].high < WEAK), key=lambda each: each.share)
        able = sum(each.skills[number].low >= MASTERED for each in learners)
        count = say("weak", count=len(weak), all=len(learners), share=round(100 * WEAK))
        named = ", ".join(escaped(each.learner) for each in weak[:5]) + (" …" if len(weak) > 5 else "")
        named = f" <span class=quiet>{named}</span>" if named else ""
        lines.append(f"<li><b>{_words(skill.name)}</b>: {count}, {say('ready', count=able)}{named}</li>")
    return f"<ul class=next>{''.join(lines)}</ul>" if lines else f"<p>{say('nothing')}</p>"


def _heat(state: ClassState) -> str:
    learners = state.learners
    names = "".join(f"<th>{_words(each.name)}" for each in (learners[0].skills if learners else ()))
    rows = "".join(
        f"<tr><td class=name>{name}</td><td class=n>{round(100 * each.share)} %</td>"
        + "".join(_cell(skill.share) for skill in each.skills)
        + f"<td>{escaped(each.suggestions[0].exercise) if each.suggestions else ''}</td></tr>"
        for each, name in zip(learners, _linked(state), strict=True)
    )
    head = f"<th>{say('learner')}<th class=n>{say('all')}{names}<th>{say('suggested')}"
    return f"<div class=scroll><table class=plain><tr>{head}</tr>{rows}</table></div>"


def _linked(state: ClassState) -> list[str]:
    names = [escaped(each.learner) for each in state.learners]
    links = [f'<a href="{escaped(link)}">{name}</a>' for link, name in zip(state.links, names, strict=False)]
    return links or names


def _cell(share: float) -> str:
    shade = f"color-mix(in srgb,var(--accent) {round(70 * share)}%,transparent)"
    return f'<td class=heat style="background:{shade}">{round(100 * share)}</td>'


def _replay(of: Sequence[Replay]) -> str:
    head = "".join(f"<th class=n>{say(key)}" for key in ("tried", "was_right", "then", "foretold"))
    rows = "".join(
        f"<tr><td>{say('would' if each.is_suggested else 'not')}</td><td class=n>{each.tries:,}</td>"
        + "".join(
            f"<td class=n>{100 * share:.1f} %</td>" for share in (each.right, each.next_right, each.next_expected)
        )
        + "</tr>"
        for each in of
    )
    return f"<div class=scroll><table class=plain><tr><th>{head}</tr>{rows}</table></div>"
