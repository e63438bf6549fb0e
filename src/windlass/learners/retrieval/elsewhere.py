"""A language model behind a URL as it is: nothing is trained, a few rows show it what is wanted.

Source: examples in the prompt: Brown et al. 2020, arXiv:2005.14165.
"""

from windlass.errors import SpecError
from windlass.kinds import table as kinds
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.language.written import answers_read, finish_text, inputs_read
from windlass.predictors.language.elsewhere import Elsewhere, remote_model
from windlass.predictors.language.prompts import messages
from windlass.predictors.language.writing import Writing
from windlass.records import Column, Json, Progress, Splits

N_SHOTS, MOST_CHARACTERS = 4, 2_000
"""Examples before each question, none of them longer."""


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Measures what the model at `options.variant` answers. Raises: SpecError: no URL or model. NotReady: no answer."""
    asked = options.language
    if not options.variant or not asked.model:
        raise SpecError(
            "learner 'elsewhere' has no URL or no model, expected `learners: [{elsewhere: http://127.0.0.1:8000/v1}]` "
            "and `language: {model: NAME}`"
        )
    said: Json = {"url": options.variant, "model": asked.model, "key": asked.key, "shots": shots(splits)}
    remote = remote_model(said["url"], said["model"], said["key"])
    columns = tuple(Column(name, kind) for name, kind in splits.inputs.items())
    progress("train", 0, 0, "asking the model")
    most = asked.max_tokens or Writing().max_tokens
    settings = {"elsewhere": said, "writing": {"max_tokens": most}, "engine": "remote"}
    manifest = {"predictor": "elsewhere", "learner": "elsewhere", "settings": settings}
    return finish_text(options, manifest, splits, Elsewhere(remote, columns, said["shots"]))


def shots(splits: Splits) -> list[Json]:
    """The first short training rows as questions and answers; a conversation shows by itself what is wanted."""
    if kinds.has_turns(splits.inputs):
        return []
    columns = tuple(Column(name, kind) for name, kind in splits.inputs.items())
    found: list[Json] = []
    for row, answer in zip(inputs_read(splits, splits.train), answers_read(splits, splits.train), strict=True):
        asked = messages(row, columns)
        if asked and answer and len(asked[0]["content"]) + len(answer) <= MOST_CHARACTERS:
            found += [*asked, {"role": "assistant", "content": answer}]
        if len(found) == 2 * N_SHOTS:
            break
    return found
