"""The scikit-learn face keeps scikit-learn's contract, and answers as the artifact it writes does."""

import datetime
import io
import pickle
import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

import windlass
from windlass.errors import DataError, NotReady, SpecError, expected
from windlass.frames import plain
from windlass.kinds import table as kinds
from windlass.sklearn.classifier import Classifier
from windlass.sklearn.estimator_input import InputError, names_of

REPEATS = ("readonly_memmap", "X_dtype")
"""Of scikit-learn's checks on trees, the repeats on read-only and float32 copies of X are left out: they fit 500 rounds
and more again for 20 s, and copies are read before any learner sees them; the linear learner passes them all."""


def tree_checks() -> list[Any]:
    checks = [
        check
        for _, check in estimator_checks_generator(Classifier("trees"))
        if getattr(check, "func", check).__name__ not in NOT_REPEATED
    ]
    return [check for check in checks if not set(REPEATS) & set(getattr(check, "keywords", {}))]


NOT_REPEATED = {
    "check_sample_weight_equivalence_on_dense_data": "validation rows are cut by chance: a row that counts twice is on "
    "one side, two rows that differ may be on both (scikit-learn's own estimators with early stopping say the same)"
}


@parametrize_with_checks([Classifier(learner="linear")], expected_failed_checks=lambda estimator: NOT_REPEATED)
def test_linear_keeps_the_contract_of_scikit_learn(estimator: Classifier, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("check", tree_checks(), ids=lambda check: getattr(check, "func", check).__name__)
def test_trees_keep_the_contract_of_scikit_learn(check: Any) -> None:
    check(Classifier(learner="trees"))


def test_the_array_api_check_passes_where_scipy_allows_it() -> None:
    """scikit-learn skips this check unless a variable was set before SciPy's import."""
    program = (
        "from sklearn.utils.estimator_checks import check_array_api_input as check\n"
        "from windlass import Classifier\n"
        "check('Classifier', Classifier('linear'), array_namespace='numpy', expect_only_array_outputs=False)\n"
        "import sys; assert 'torch' not in sys.modules, 'torch was imported'"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={"SCIPY_ARRAY_API": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr


@pytest.fixture(scope="module")
def cards() -> tuple[list[str], list[str]]:
    """Messages in English and Chinese about two matters."""
    lost = [
        "I lost my card {}",
        "my card was stolen in {}",
        "block the card, it is gone since {}",
        "我的卡在{}丢了",
        "卡在{}被偷了，请挂失",
        "{}的时候银行卡不见了",
    ]
    login = [
        "I cannot log in since {}",
        "my password was refused in {}",
        "the app asks for a login in {}",
        "我在{}登录不了",
        "{}的时候密码错误",
        "在{}应用要我重新登录",
    ]
    places = ["Oslo", "Rome", "May", "June", "北京", "上海", "Lima", "东京"]
    texts = [text.format(place) for text in (*lost, *login) for place in places]
    return texts, ["lost card"] * (len(lost) * len(places)) + ["login"] * (len(login) * len(places))


@pytest.fixture(scope="module")
def people() -> tuple[pd.DataFrame, np.ndarray]:
    """A table of every kind with missing values, whose label follows from age and city."""
    random = np.random.default_rng(0)
    n_rows = 400
    frame = pd.DataFrame(
        {
            "age": random.normal(40, 10, n_rows),
            "city": random.choice(["Oslo", "Rome", "Paris"], n_rows),
            "since": pd.date_range("2020-01-01", periods=n_rows),
            "member": random.random(n_rows) > 0.5,
            "level": pd.Categorical(random.integers(1, 4, n_rows)),
            "customer_id": np.arange(n_rows) + 7000,
        }
    )
    labels = np.where((frame["age"] > 40) & (frame["city"] != "Rome"), "buys", "leaves")
    frame.loc[::9, "age"] = np.nan
    frame.loc[::11, "city"] = None
    frame.loc[::13, "since"] = pd.NaT
    return frame, labels


def test_texts_in_english_and_chinese_are_told_apart(cards: tuple[list[str], list[str]]) -> None:
    X_train, X_test, y_train, y_test = train_test_split(*cards, test_size=0.25, random_state=0, stratify=cards[1])
    model = Classifier().fit(X_train, y_train)
    assert model.learner_ == "linear"
    assert model.kinds_ == {"text": "text"}
    assert model.score(X_test, y_test) == 1
    assert model.predict(["my card is gone", "密码错误"]).tolist() == ["lost card", "login"]


@pytest.mark.parametrize(
    "box",
    [tuple, np.array, partial(np.array, dtype=object), pd.Series, pl.Series],
    ids=["tuple", "array", "objects", "pandas", "polars"],
)
def test_texts_come_in_any_one_dimensional_box(cards: tuple[list[str], list[str]], box: Any) -> None:
    listed = Classifier("linear").fit(*cards)
    boxed = Classifier("linear").fit(box(cards[0]), box(cards[1]))
    np.testing.assert_array_equal(boxed.predict_proba(box(cards[0])), listed.predict_proba(cards[0]))


def test_a_pandas_table_is_read_by_the_kinds_of_its_columns(people: tuple[pd.DataFrame, np.ndarray]) -> None:
    model = Classifier("trees").fit(*people)
    assert model.kinds_ == {
        "age": "number",
        "city": "category",
        "since": "date",
        "member": "category",
        "level": "category",
    }
    assert model.left_out_ == {"customer_id": "numbers the rows"}
    assert model.feature_names_in_.tolist() == list(people[0].columns)
    assert cross_val_score(Classifier("trees"), *people, cv=3).mean() > 0.85


def test_a_polars_table_gives_the_model_of_the_pandas_table(people: tuple[pd.DataFrame, np.ndarray]) -> None:
    frame, labels = people
    columns = {name: plain(frame[name]) for name in frame}
    since = [None if day is None else datetime.datetime.fromisoformat(day) for day in columns["since"]]
    level = pl.Series([str(value) for value in columns["level"]], dtype=pl.Categorical)
    table = pl.DataFrame({**columns, "since": since, "level": level})
    first, second = Classifier("linear").fit(frame, labels), Classifier("linear").fit(table, labels)
    assert second.kinds_ == first.kinds_
    np.testing.assert_allclose(second.predict_proba(table), first.predict_proba(frame))


def test_columns_are_found_by_name_in_any_order(people: tuple[pd.DataFrame, np.ndarray]) -> None:
    frame, labels = people
    model = Classifier("linear").fit(frame, labels)
    turned = frame[list(reversed(frame.columns))].assign(more=1)
    np.testing.assert_array_equal(model.predict_proba(turned), model.predict_proba(frame))


def test_a_missing_column_is_refused_with_the_nearest_name(people: tuple[pd.DataFrame, np.ndarray]) -> None:
    frame, labels = people
    model = Classifier("linear").fit(frame, labels)
    with pytest.raises(InputError, match=r"X has no column 'city'.*\nhint: did you mean 'ciity'") as refused:
        model.predict(frame.rename(columns={"city": "ciity"}))
    assert isinstance(refused.value, ValueError)
    assert isinstance(refused.value, DataError)


def test_a_value_of_another_kind_is_refused_with_its_row(people: tuple[pd.DataFrame, np.ndarray]) -> None:
    frame, labels = people
    with pytest.raises(InputError, match="row 1, column 'city': number is"):
        Classifier("linear", kinds={"city": "number"}).fit(frame, labels)
    model = Classifier("linear").fit(frame, labels)
    with pytest.raises(InputError, match="row 2, column 'age': number is 'old'"):
        model.predict(frame.head(4).assign(age=[40, 41, "old", 43]))


def test_given_kinds_come_before_the_guess(people: tuple[pd.DataFrame, np.ndarray]) -> None:
    model = Classifier("linear", kinds={"customer_id": "number"}).fit(*people)
    assert model.kinds_["customer_id"] == "number"
    assert model.kinds_["city"] == "category"
    table = people[0][["city"]]
    assert Classifier("linear", kinds="text").fit(table, people[1]).kinds_ == {"city": "text"}


def test_an_array_of_words_and_numbers_is_read_column_by_column() -> None:
    rows = np.array([[("red", "blue")[row % 2], row / 8 if row % 3 else None] for row in range(60)], dtype=object)
    model = Classifier("linear").fit(rows, [0, 1] * 30)
    assert model.kinds_ == {"x0": "category", "x1": "number"}
    assert model.predict([["red", 3], ["blue", 0.5], ["red", None], ["blue", None]]).tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("labels", [[3, -1, 20], ["b", "a", "ä"], [2.0, 1.0, 10.0]], ids=["int", "str", "float"])
def test_predictions_are_the_labels_that_were_given(labels: list[Any]) -> None:
    X, y = load_iris(return_X_y=True)
    given = np.array(labels)[y]
    model = Classifier("linear").fit(X, given)
    assert model.predict(X).dtype == given.dtype
    assert model.classes_.tolist() == sorted(labels)
    assert model.score(X, given) > 0.9


def test_truth_values_are_answered_as_truth_values() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    answers = Classifier("linear").fit(X, y == 1).predict(X)
    assert answers.dtype == bool
    assert np.mean(answers == (y == 1)) > 0.95


def test_classes_whose_names_read_the_same_stay_apart() -> None:
    assert names_of(np.array(["", "a", "a ", "b"])) == ["(empty)", "a", "a'", "b"]
    X = np.repeat([[0.0], [1.0]], 20, axis=0)
    y = np.repeat(["a", "a "], 20)
    assert Classifier("linear").fit(X, y).predict(X).tolist() == y.tolist()


@pytest.mark.parametrize("learner", ["majority", "linear", "trees"])
def test_probabilities_sum_to_one_in_the_order_of_the_classes(learner: str) -> None:
    X, y = load_iris(return_X_y=True)
    names = np.array([10, 9, 100])[y]  # whose order as words is another
    model = Classifier(learner).fit(X, names)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (150, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(model.classes_[probabilities.argmax(axis=1)], model.predict(X))
    if learner != "majority":
        assert np.mean(model.predict(X) == names) > 0.9


def test_a_saved_artifact_gives_the_same_probabilities(people: tuple[pd.DataFrame, np.ndarray], tmp_path: Any) -> None:
    frame, labels = people
    model = Classifier("trees").fit(frame, pd.Series(labels, name="outcome"))
    predictor = windlass.load(str(model.save(tmp_path / "deep" / "model"))).predictor
    rows = [
        {name: value for name, value in row.items() if name in model.kinds_}
        for row in pd.DataFrame({name: plain(frame[name]) for name in frame}, dtype=object).to_dict("records")
    ]
    np.testing.assert_allclose(predictor.probabilities(rows), model.predict_proba(frame))
    assert [answer.value for answer in predictor.answer(rows[:9])] == model.predict(frame[:9]).tolist()
    assert predictor.manifest.output.name == "outcome"
    model.save(tmp_path / "deep" / "model")


def test_save_replaces_nothing_but_artifacts(tmp_path: Any) -> None:
    X, y = load_iris(return_X_y=True)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(SpecError, match="holds something else"):
        Classifier("majority").fit(X, y).save(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_fitted_classifier_survives_a_pickle(cards: tuple[list[str], list[str]]) -> None:
    model = Classifier("linear").fit(*cards)
    box = io.BytesIO()
    pickle.dump(model, box)
    again = pickle.loads(box.getvalue())  # noqa: S301  joblib sends estimators to its workers like this
    np.testing.assert_array_equal(again.predict_proba(cards[0]), model.predict_proba(cards[0]))


def test_fitting_again_gives_the_same_artifact(people: tuple[pd.DataFrame, np.ndarray]) -> None:
    for learner in ("linear", "trees"):
        first, second = (Classifier(learner, seed=7).fit(*people) for _ in range(2))
        assert first.artifact_ == second.artifact_
    assert Classifier("trees", seed=8).fit(*people).artifact_ != second.artifact_


def test_fitting_on_other_data_forgets_the_first(
    cards: tuple[list[str], list[str]], people: tuple[pd.DataFrame, np.ndarray]
) -> None:
    model = Classifier("linear").fit(*people).fit(*cards)
    assert not hasattr(model, "feature_names_in_")
    assert model.n_features_in_ == 1
    assert model.score(*cards) == 1


def test_a_clone_has_the_parameters_and_nothing_else() -> None:
    X, y = load_iris(return_X_y=True)
    model = Classifier("linear", kinds="number", minutes=0.5, seed=3, goal="macro_f1 >= 0.9").fit(X, y)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "artifact_")


def test_it_works_in_a_pipeline_and_in_parallel_cross_validation() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    ours = cross_val_score(make_pipeline(StandardScaler(), Classifier("linear")), X, y, cv=5, n_jobs=2)
    theirs = cross_val_score(make_pipeline(StandardScaler(), LogisticRegression()), X, y, cv=5)
    assert ours.mean() > theirs.mean() - 0.02  # one standard error of a difference on 569 rows is about 0.01


def test_grid_search_chooses_the_learner() -> None:
    X, y = load_iris(return_X_y=True)
    search = GridSearchCV(Classifier(), {"learner": ["majority", "linear"]}, cv=3).fit(X, y)
    assert search.best_params_ == {"learner": "linear"}
    assert search.best_estimator_.learner_ == "linear"


def test_auto_takes_the_best_on_validation_rows(people: tuple[pd.DataFrame, np.ndarray]) -> None:
    model = Classifier().fit(*people)
    assert list(model.validation_) == ["majority", "linear", "trees"]
    assert model.validation_[model.learner_] == max(model.validation_.values())
    assert model.not_trained_ == {}


def test_auto_takes_the_cheapest_that_meets_the_goal() -> None:
    X, y = load_iris(return_X_y=True)
    assert Classifier(goal="accuracy >= 0.1").fit(X, y).learner_ == "majority"
    assert Classifier(goal="accuracy >= 0.8").fit(X, y).learner_ == "linear"


def test_too_few_rows_to_validate_on_are_all_learnt_from() -> None:
    model = Classifier().fit(["good film", "bad film"], [1, 0])
    assert model.validation_ == {"majority": None, "linear": None}
    assert model.predict(["good film", "bad film"]).tolist() == [1, 0]


def test_a_label_whose_rows_all_share_their_inputs_with_another_is_kept() -> None:
    X = [[1.0], [1.0], [2.0], [3.0], [4.0], [5.0]] * 5
    model = Classifier("linear").fit(X, [0, 1, 0, 0, 0, 0] * 5)
    assert model.predict_proba([[1.0]])[0, 1] > model.predict_proba([[5.0]])[0, 1]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"learner": "liner"}, "learner is 'liner'.*\nhint: did you mean 'linear'"),
        ({"learner": 3}, "learner is 3, expected one of 'auto'"),
        ({"learner": "lstm"}, "learner 'lstm' does not read 'number'"),
        ({"minutes": -1}, "'minutes' is -1, expected greater than 0"),
        ({"goal": "acuracy"}, "did you mean 'accuracy'"),
        ({"goal": "roc_auc"}, "goal is 'roc_auc' with 3 classes, expected one of"),
        ({"kinds": {"x9": "number"}}, "kinds names column 'x9'.*\nhint: did you mean 'x"),
        ({"kinds": "nubmer"}, "kind is 'nubmer'.*\nhint: did you mean 'number'"),
    ],
    ids=str,
)
def test_a_wrong_parameter_is_refused_in_fit(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        Classifier(**parameters).fit(*load_iris(return_X_y=True))


def test_no_time_is_said_instead_of_answering_with_the_baseline() -> None:
    with pytest.raises(NotReady, match="learner 'linear', out of time"):
        Classifier(minutes=0.001).fit(*load_iris(return_X_y=True))


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([1, 2, 3], [0, 1, 0], "Expected 2D array, got 1D array instead"),
        ([], [], "Expected 2D array"),
        (["a", "b"], ["same", "same"], "y has one class, 'same'"),
        (["a", 3], [0, 1], "row 1, column 'text': text is int"),
        (pd.DataFrame({"a": [1, 1, 1, 1]}), [0, 1, 0, 1], "no column to learn from .'a': always the same"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), [0, 1], "each name once"),
        (pd.DataFrame({"a": []}), [], "at least one row"),
        (["a", "b"], [0, 1, 1], "inconsistent numbers of samples"),
    ],
    ids=range(8),
)
def test_data_that_cannot_be_learnt_from_is_refused(X: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Classifier().fit(X, y)


def test_another_number_of_columns_is_refused_in_the_words_of_scikit_learn() -> None:
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="X has 3 features, but Classifier is expecting 4 features as input"):
        Classifier("linear").fit(X, y).predict(X[:, :3])


def test_every_kind_has_a_default_place_in_the_face() -> None:
    """A new kind is reached through `kinds=`, whose names are the table's."""
    with pytest.raises(SpecError) as refused:
        Classifier(kinds="none of them").fit(["a", "b"], [0, 1])
    assert expected(kinds.KINDS) in refused.value.message


def test_numbers_and_days_of_a_frame_are_read_as_they_are_written() -> None:
    """Prices of a German shop: above 3.000,00 € somebody buys."""
    prices = [f"{1 + number % 6}.{number * 7 % 1000:03},50 €" for number in range(120)]
    days = [f"{1 + number % 28:02}.03.2026" for number in range(120)]
    y = np.array([number % 6 >= 2 for number in range(120)])
    model = Classifier("linear").fit(pd.DataFrame({"price": prices, "day": days}), y)
    assert model.kinds_ == {"price": "number", "day": "date"}
    asked = pd.DataFrame({"price": ["5.000,00 €", "1.200,00 €", "900,00 €"], "day": ["01.03.2026"] * 3})
    assert model.predict(asked).tolist() == [True, False, False]
    with pytest.raises(InputError, match=r"row 0, column 'price': number is '5000\.5', expected one that is written"):
        model.predict(asked.assign(price="5000.5"))


def test_a_stray_word_among_numbers_is_refused_with_its_row() -> None:
    frame = pd.DataFrame({"x": ["1", "2.5"] * 30 + ["五星"], "z": [0.5, 1.5] * 30 + [0.5]})
    with pytest.raises(InputError, match="row 60, column 'x': number is '五星'"):
        Classifier("linear").fit(frame, [0, 1] * 30 + [0])
