"""Every program that is one change away, run with the tests of its row: nothing is learned, and it beats what is.

Measured: docs/log.md, "repair" (25 of 30 exercises, where models from scratch mend none).
"""

from windlass.errors import DataError, NotReady, did_you_mean, expected
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.language.written import finish_text, text_inputs
from windlass.predictors.artifact import read_golden, read_manifest, write_golden
from windlass.predictors.retrieval.repair import Search
from windlass.predictors.writer import Writer
from windlass.records import Progress, Splits
from windlass.sandbox.programs import passes

TESTS = "tests"
"""The column of tests, unless `{repair: column}` names another."""
BROKEN, CHECK = "def double(number):\n    return number + 2", "assert double(3) == 6 and double(4) == 8"
"""A golden row of its own, so that every load proves that programs can be run here."""


def no_tests(splits: Splits, variant: str) -> str:
    """Why rows cannot be repaired by their tests."""
    texts, wanted = text_inputs(splits), variant or TESTS
    if wanted not in texts:
        hint = did_you_mean(wanted, texts)
        return f"'{wanted}' is no text input, expected {expected(texts)}" + (f" ({hint})" if hint else "")
    return "" if len(texts) == 2 else f"rows have {len(texts)} text inputs, expected a program and its tests"


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """Writes which column is the program and which its tests.

    Raises: NotReady: this machine cannot shut programs in, or the rows have no tests beside a program.
    """
    tests = options.variant or TESTS
    refused = no_tests(splits, tests)
    if refused:
        raise NotReady(refused)
    if not passes("works = True", ["assert works"]).passed:
        raise DataError("a program that works did not pass in the sandbox, expected it to")
    program = next(name for name in text_inputs(splits) if name != tests)
    engine = Search(program, tests)
    settings = {"program": program, "tests": tests}
    manifest = {"predictor": "repair", "learner": "repair", "settings": settings}
    fitted = finish_text(options, manifest, splits, engine)
    rows, answers = read_golden(fitted.artifact)
    own = dict.fromkeys(splits.inputs) | {program: BROKEN, tests: CHECK}
    writer = Writer(read_manifest(fitted.artifact), engine)
    write_golden(fitted.artifact, [*rows, own], [*answers, writer.write([own])[0].text])
    return fitted
