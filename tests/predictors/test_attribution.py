"""Explanations: exact where the model is a sum, faithful where it is not, and always about the row as it was read."""

import json
import warnings
from dataclasses import replace
from functools import cache
from itertools import pairwise
from time import monotonic

import numpy as np
import pytest

from tests.predictors import artifacts as made
from windlass.blueprints import catalogue
from windlass.errors import DataError, NotReady
from windlass.explain.attribution import mean_features
from windlass.explain.occlusion import Effort
from windlass.learners.contract import Budget, Options
from windlass.learners.table import get
from windlass.outputs.contract import Why
from windlass.outputs.labels.explanation import log_odds
from windlass.outputs.table import explain
from windlass.pages.html.explained import explanation_html, explanation_text
from windlass.predictors.contract import Labeller
from windlass.predictors.table import load
from windlass.records import Splits, silent
from windlass.testing.toys import toys


def fitted(learner: str, splits: Splits, folder):
    options = Options(folder, "accuracy")
    get(learner).fit(splits, options, Budget(2), silent)
    return load(folder / "artifact")


def rows_of(splits: Splits, n_rows: int = 20):
    return splits.test.head(n_rows).select(list(splits.inputs)).to_dicts()


def opaque(predictor: Labeller) -> Labeller:
    """The same model, known by its answers alone."""
    return Labeller(predictor.manifest, lambda batches: predictor.engine(batches))


@pytest.fixture(scope="module")
def problems(tmp_path_factory):
    return dict(toys(tmp_path_factory.mktemp("toys")))


@pytest.fixture(scope="module")
def model(problems, tmp_path_factory):
    """(learner, toy) -> what answers, trained once."""
    return cache(lambda learner, toy: fitted(learner, problems[toy], tmp_path_factory.mktemp(learner)))


@pytest.fixture(scope="module")
def linear_of_text(model):
    return model("linear", "text")


def test_a_linear_model_by_hand(tmp_path):
    """'card' says yes by 1, a deviation more by 3; 'red' says no by 1; temperature 2 halves each; bias -1 halved."""
    predictor = load(made.linear(tmp_path))
    found = explain(predictor, made.ROWS[:1])[0]
    weights = {part.words.split(" ")[0]: part.weight for part in found.parts}
    # against the mean of what stands for training: sizes at the mean 10, colours blue and red alike (mean 0.5 for no)
    assert weights == pytest.approx({"card": 0.5, "size": 1.5, "colour": -0.25})
    assert found.base == pytest.approx((-1 - 0.5) / 2)
    assert (found.label, found.method, found.unit, found.adds_up) == ("yes", "weight × feature", "log-odds", True)
    assert found.base + sum(weights.values()) == pytest.approx(found.total, abs=1e-6)


def test_a_shift_is_part_of_what_is_there_without_any_row(tmp_path):
    """Logits become logits / 2 + (0.5, -1): what parts are worth stays, the base and the total lose 1.5."""
    folder = made.linear(tmp_path)
    before = explain(load(folder), made.ROWS[:1], Why(answer="yes"))[0]
    made.write_manifest(folder, replace(load(folder).manifest, shift=(0.5, -1.0)))
    found = explain(load(folder), made.ROWS[:1], Why(answer="yes"))[0]
    assert (found.base, found.total) == pytest.approx((before.base - 1.5, before.total - 1.5))
    assert [part.weight for part in found.parts] == pytest.approx([part.weight for part in before.parts])


@pytest.mark.parametrize("learner", ["linear", "trees"])
@pytest.mark.parametrize("toy", ["text", "table", "text and number"])
def test_exact_parts_sum_to_the_log_odds(learner, toy, problems, model):
    """To what float32, in which logits are served, can tell apart."""
    predictor, rows = model(learner, toy), rows_of(problems[toy])
    shares = predictor.probabilities(rows)
    for found, share in zip(explain(predictor, rows), shares, strict=True):
        assert found.base + sum(part.weight for part in found.parts) == pytest.approx(found.total, rel=1e-6, abs=1e-6)
        assert found.total == pytest.approx(np.log(share.max() / share.min()), rel=1e-6, abs=1e-6)


def test_trees_give_what_lightgbm_gives(problems, tmp_path):
    """The model as it was trained, not as it was checked and written anew: the same Shapley values."""
    import lightgbm

    splits = problems["table"]
    predictor = fitted("trees", splits, tmp_path)
    row = rows_of(splits)[0]
    found = explain(predictor, [row], Why(answer="yes"))[0]
    batches = [np.asarray(batch) for batch in _encoded(predictor, row)]
    booster = lightgbm.Booster(model_file=str(tmp_path / "artifact" / "model.txt"))
    right = booster.predict(np.concatenate(batches, axis=1), pred_contrib=True)[0] / predictor.manifest.temperature
    edges = np.cumsum([0, *(batch.shape[1] for batch in batches)])
    wanted = [right[start:end].sum() for start, end in pairwise(edges)]
    assert [part.weight for part in found.parts] == pytest.approx(wanted, abs=1e-9)
    assert found.base == pytest.approx(right[-1], abs=1e-9)


def _encoded(predictor, row):
    from windlass.kinds import table as kinds

    return [kinds.encode_column(column, [row[column.name]], None) for column in predictor.manifest.inputs]


def test_a_linear_model_agrees_with_the_shap_library(model, problems):
    """shap.LinearExplainer over the same mean row. Measured with shap 0.51.0: the same to 1e-16 on German credit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shap = pytest.importorskip("shap", reason="`pip install shap` compares with it")
    predictor, rows = model("linear", "table"), rows_of(problems["table"])
    inputs, engine = predictor.manifest.inputs, predictor.engine
    place = predictor.labels.index("yes")
    weights, bias = np.concatenate(engine.weights).astype(float), engine.bias.astype(float)
    usual = np.concatenate([mean_features(column)[0] for column in inputs])
    features = np.concatenate([np.concatenate(_encoded(predictor, row), axis=1) for row in rows])
    ours = (weights[:, place] - weights[:, 1 - place], bias[place] - bias[1 - place])
    masker = shap.maskers.Independent(np.stack([usual, usual]), max_samples=2)
    theirs = shap.LinearExplainer(ours, masker).shap_values(features) / predictor.manifest.temperature
    edges = np.cumsum([0, *(len(mean_features(column)[0]) for column in inputs)])
    for found, right in zip(explain(predictor, rows, Why(answer="yes")), theirs, strict=True):
        wanted = [right[start:end].sum() for start, end in pairwise(edges)]
        assert [part.weight for part in found.parts] == pytest.approx(wanted, abs=1e-6)


def test_the_base_takes_the_entropy_of_the_others():
    """Logits 2, 1, 1: against two equal others the odds are e / 2, so log-odds 1 - ln 2."""
    assert log_odds(np.array([[2.0, 1.0, 1.0]]), 0) == pytest.approx([1 - np.log(2)])


def test_occlusion_is_what_leaving_a_word_out_changes(linear_of_text):
    """By hand: the log-odds of the text less those of the text without the word."""
    row = {"message": "refund my parcel today"}
    found = explain(opaque(linear_of_text), [row], Why(answer="yes"))[0]

    def odds(message: str) -> float:
        share = linear_of_text.probabilities([{"message": message}])[0][linear_of_text.labels.index("yes")]
        return np.log(share / (1 - share))

    assert [part.words for part in found.parts] == ["refund", "my", "parcel", "today"]
    assert found.parts[0].weight == pytest.approx(odds(row["message"]) - odds("my parcel today"), abs=1e-5)
    assert found.base == pytest.approx(odds(""), abs=1e-5)
    assert (found.method, found.n_evaluations) == ("occlusion", 1 + 4 + 1)


def test_occlusion_of_a_linear_picture_finds_the_half_that_tells(problems, model):
    """A 'yes' is bright above: the upper half speaks for it."""
    predictor = opaque(model("linear", "image"))
    splits = problems["image"]
    row = splits.test.filter(splits.test["answer"] == "yes").head(1).select("picture").to_dicts()
    found = explain(predictor, row, Why(splits.root))[0]
    assert len(found.parts) == 64
    halves = [sum(part.weight for part in found.parts if (part.box[1] < 0.5) is upper) for upper in (True, False)]
    assert found.label == "yes"
    assert halves[0] > 2 * abs(halves[1]) or min(halves) > 0
    assert found.pictures["picture"].startswith("data:image/png;base64,")


def test_columns_are_reason_codes_in_words(model):
    row = {"size": 4.0, "colour": "red", "day": "2025-03-01"}
    found = explain(model("trees", "table"), [row], Why(answer="yes"))[0]
    size = next(part for part in found.parts if part.column == "size")
    assert size.words.startswith("size is 4, very high (9")
    assert size.words.endswith("speaks for 'yes'")
    assert size.weight > 0


def test_evaluations_are_bounded_and_a_long_text_is_refined_where_it_counts(linear_of_text):
    filler = "the parcel was here and all went its way today. "
    row = {"message": filler * 30 + "Please refund my money back. " + filler * 30}
    found = explain(opaque(linear_of_text), [row], Why(answer="yes", effort=lambda: Effort(most=90)))[0]
    assert found.n_evaluations <= 90 + 3
    strongest = max(found.parts, key=lambda part: part.weight)
    assert strongest.words in ("refund", "money", "back.")
    assert any(len(part.words) > 40 for part in found.parts), "what counts little stays whole"


def test_a_very_long_text_has_a_bounded_number_of_parts_that_still_sum(linear_of_text):
    row = {"message": "The parcel was here today. " * 3000 + "Refund!"}
    found = explain(linear_of_text, [row], Why(answer="yes"))[0]
    assert 64 <= len(found.parts) <= 512 + 64
    assert found.base + sum(part.weight for part in found.parts) == pytest.approx(found.total, rel=1e-5, abs=1e-5)


def test_time_that_is_over_is_said(linear_of_text):
    with pytest.raises(NotReady, match="took too long"):
        explain(opaque(linear_of_text), [{"message": "a b"}], Why(effort=lambda: Effort(until=monotonic() - 1)))


def test_an_unknown_label_is_refused_with_the_nearest(linear_of_text):
    with pytest.raises(DataError, match="label is 'yess', expected one of") as caught:
        explain(linear_of_text, [{"message": "a"}], Why(answer="yess"))
    assert "did you mean 'yes'" in caught.value.hint


@pytest.mark.parametrize("message", ["", "   ", "!!!", "\u200b", "😀", None])
def test_a_text_without_words_is_explained_too(linear_of_text, message):
    for predictor in (linear_of_text, opaque(linear_of_text)):
        found = explain(predictor, [{"message": message}])[0]
        json.dumps(found.as_json(), allow_nan=False)
        assert explanation_text(found)
        assert explanation_html(found)


def test_an_answer_that_is_found_and_not_weighed_is_refused():
    from windlass.predictors.retrieval import excerpt
    from windlass.predictors.writer import Writer
    from windlass.records import Column, Manifest

    manifest = Manifest("excerpt", "copy", (Column("text", "text"),), Column("answer", "text"))
    writer = Writer(manifest, excerpt.make("lead 1", "text", {"text": "text"}))
    with pytest.raises(NotReady, match="answers of 'copy' are found, not weighed"):
        explain(writer, [{"text": "One. Two."}])


def test_words_of_the_input_by_the_likelihood_of_the_answer():
    """A writer to whom an answer is a nat likelier for each of its words that the question holds."""
    from windlass.predictors.language.writing import Written
    from windlass.predictors.writer import Writer
    from windlass.records import Column, Manifest

    class Echo:
        is_generating = False

        def write(self, rows, how, hear):
            return [Written("red coat") for _ in rows]

        def nats(self, rows, texts):
            return np.array(
                [9.0 - sum(word in row["ask"] for word in text.split()) for row, text in zip(rows, texts, strict=True)]
            )

    writer = Writer(Manifest("echo", "echo", (Column("ask", "text"),), Column("answer", "text")), Echo())
    found = explain(writer, [{"ask": "a red old coat"}])[0]
    assert {part.words: part.weight for part in found.parts} == {"a": 0, "red": 1, "old": 0, "coat": 1}
    assert (found.base, found.total, found.unit) == (-9, -7, "log-likelihood (nats)")


def spared(predictor, row, found, order) -> float:
    """Mean probability of the label while words are left out in this order: the lower, the more faithful."""
    from windlass.kinds import text

    place = predictor.labels.index(found.label)
    spans = [found.parts[number].span for number in order]
    steps = [text.without(row["message"], {}, spans[:count]) for count in range(len(spans) + 1)]
    return float(predictor.probabilities([{"message": each} for each in steps])[:, place].mean())


@pytest.mark.parametrize("is_exact", [True, False], ids=["exact", "occlusion"])
def test_words_that_weigh_more_matter_more_than_random_ones(is_exact, tmp_path):
    """Deletion curves on shipped data: below random orders by at least 3 standard errors. Control: reversed, above."""
    import polars as pl

    rows = pl.read_csv(catalogue.HOME / "support-desk" / "data" / "tickets.csv").drop_nulls().sample(600, seed=3)
    splits = Splits({"message": "text"}, {"intent": "category"}, rows[:500], rows[500:550], rows[550:], tmp_path)
    predictor = fitted("linear", splits, tmp_path)
    predictor = predictor if is_exact else opaque(predictor)
    chance, gains, losses = np.random.default_rng(1), [], []
    for row in rows_of(splits, 40):
        row = {"message": " ".join(row["message"].split()[:25])}
        found = explain(predictor, [row])[0]
        found = found if all(part.span for part in found.parts) else None
        if found is None or len(found.parts) < 4:
            continue
        order = np.argsort([-part.weight for part in found.parts])
        usual = spared(predictor, row, found, chance.permutation(len(order)))
        gains.append(usual - spared(predictor, row, found, order))
        losses.append(usual - spared(predictor, row, found, order[::-1]))
    gains, losses = np.array(gains), np.array(losses)
    assert gains.mean() > 3 * gains.std(ddof=1) / np.sqrt(len(gains))
    assert losses.mean() < -3 * losses.std(ddof=1) / np.sqrt(len(losses)), "control: the worst words first"
