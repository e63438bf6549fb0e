"""What may be remembered of a text that was written without keeping it: length, new words, whether it turns in circles,
whether it was cut, how sure its writer was of each token.
"""

from collections.abc import Iterable

from windlass.kinds import text
from windlass.kinds.sketch import Profile, Sketch, Trait
from windlass.metrics.texts import repetition
from windlass.records import Answer, Json

TENTHS = 10
UNKNOWN, ENDED, CUT = 0, 1, 2


def learn(texts: Iterable[str]) -> Json:
    """From the right answers of the training rows: words that none of them has are new."""
    return text.learn(texts)


def profile(answer: Answer, state: Json) -> Profile:
    """That of a text, then tenths of its runs of words that were said before, if it was cut, tenths of confidence."""
    value = str(answer.value)
    sure = UNKNOWN if answer.confidence is None else 1 + round(TENTHS * answer.confidence)
    told = 1 + round(TENTHS * repetition(value)) if value else UNKNOWN
    return [*text.profile(value, state), told, CUT if answer.is_cut else ENDED, sure]


def traits(state: Json) -> tuple[Trait, ...]:
    """Those of a text, told of what is written."""
    found = text.traits(state)
    start = max(trait.start + (trait.width if trait.form == "vector" else 1) for trait in found)
    shares = (0.0, *(code / TENTHS for code in range(TENTHS + 1)))
    return (
        *found,
        Trait("said again and again", "ordered", start, TENTHS + 2, scale=shares),
        Trait("cut at a limit", "rate", start + 1, CUT + 1, (CUT,)),
        Trait("confidence", "ordered", start + 2, TENTHS + 2, scale=shares),
    )


SKETCH = Sketch(learn, profile, traits)
