"""The one table of learners, in the order they are tried: a new one is a line here and a file in the folder of
its family."""

from collections.abc import Iterator
from importlib import import_module

from windlass.errors import SpecError, did_you_mean, expected
from windlass.learners.contract import Budget, Fit, Fitted, Learner, Options, Refresh, Refuse
from windlass.records import Progress, Splits

TABLE = frozenset({"number", "category", "date"})
ANY = TABLE | {"text", "image", "series"}
FORECAST, ANOMALY = frozenset({"forecast"}), frozenset({"anomaly"})
WATCHED = frozenset({"series", "category"})
ASKED = TABLE | {"text", "series"}
"""What a question to a series may hold."""
CATEGORY, NUMBER, TAGS = frozenset({"category"}), frozenset({"number"}), frozenset({"tags"})
NAMED, SCORED = CATEGORY | TAGS, CATEGORY | NUMBER | TAGS
TEXT, CITED, ITEMS = frozenset({"text"}), frozenset({"cited"}), frozenset({"items"})
TRACED = ITEMS | CATEGORY
"""A history of what was tried, and what is tried now."""
TORCH = ("torch", "onnx", "onnxruntime", "tokenizers")
PRETRAINED = (*TORCH, "transformers")
MODELS = "recommend.models"


def _later(module: str, function: str = "fit") -> Fit:
    """A `fit` whose module, and with it torch or LightGBM, is imported when it is first called."""

    def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
        return getattr(import_module(f"windlass.learners.{module}"), function)(splits, options, budget, progress)

    return fit


def _by_output(**modules: tuple[str, str]) -> Fit:
    """By the kind of the output: its module and function, imported when it is first called."""

    def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
        chosen = _later(*modules[splits.output[splits.output_column]])
        return chosen(splits, options, budget, progress)

    return fit


def _refusal(function: str, module: str = "language.written") -> Refuse:
    def refuse(splits: Splits, variant: str) -> str:
        return getattr(import_module(f"windlass.learners.{module}"), function)(splits, variant)

    return refuse


def _refresh(module: str) -> Refresh:
    """Of an index whose documents have changed."""

    def refresh(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted | None:
        found: Fitted | None = import_module(f"windlass.learners.{module}").refresh(splits, options, budget, progress)
        return found

    return refresh


def _tracers() -> Iterator[Learner]:
    """What tells from a history of attempts whether the next one is right."""
    module = "recommend.tracing.fitting"
    for name, summary, function, cost, needs in (
        ("exercise-share", "how often each exercise is right", "fit_share", 0.0, ()),
        ("irt", "one ability a learner (item response theory)", "fit_irt", 0.2, ()),
        ("bkt", "each skill is known or not (Bayesian knowledge tracing)", "fit_bkt", 0.2, ()),
        ("growth", "ability, practice and forgetting of each skill", "fit_growth", 2.0, ()),
        ("tracing-trees", "boosted trees on eleven numbers of what was tried", "fit_trees", 1.0, ("lightgbm",)),
        ("dkt", "a gated recurrent network over what was tried", "fit_dkt", 1.0, TORCH[:1]),
        ("sakt", "attention over what was tried", "fit_sakt", 1.0, TORCH[:1]),
    ):
        refuse, asked = _refusal("refuse", module), "torch" in needs
        fit = _later(module, function)
        yield Learner(name, summary, TRACED, CATEGORY, fit, needs, cost, ITEMS, on_request=asked, refuse=refuse)


LEARNERS: dict[str, Learner] = {
    learner.name: learner
    for learner in (
        Learner("majority", "always the commonest answer", ANY, NAMED, _later("classic.majority"), weighs=True),
        Learner("mean", "always the mean", ANY, NUMBER, _later("classic.majority", "fit_mean"), weighs=True),
        Learner("median", "always the median", ANY, NUMBER, _later("classic.majority", "fit_median"), weighs=True),
        Learner("naive", "the last value again", ASKED, FORECAST, _later("series.naive", "fit_naive")),
        Learner("seasonal-naive", "the last season again", ASKED, FORECAST, _later("series.naive", "fit_seasonal")),
        Learner("drift", "on by the mean step", ASKED, FORECAST, _later("series.naive", "fit_drift")),
        Learner("nlinear", "a linear map of the latest points", ASKED, FORECAST, _later("series.nlinear"), cost=1),
        Learner(
            "ets", "exponential smoothing of each series", ASKED, FORECAST, _later("series.local", "fit_ets"), cost=1
        ),
        Learner(
            "theta", "smoothing and some of the trend", ASKED, FORECAST, _later("series.local", "fit_theta"), cost=0.5
        ),
        Learner(
            "lag-trees",
            "boosted trees on lags, calendar and covariates",
            ASKED,
            FORECAST,
            _later("series.lag_trees"),
            needs=("lightgbm",),
            cost=3,
        ),
        Learner(
            "croston",
            "orders now and then, by Croston",
            ASKED,
            FORECAST,
            _later("series.local", "fit_croston"),
            cost=0.5,
            refuse=_refusal("few_zeros", "series.local"),
        ),
        Learner(
            "arima",
            "ARIMA of each series",
            ASKED,
            FORECAST,
            _later("series.local", "fit_arima"),
            cost=2,
            on_request=True,
        ),
        Learner(
            "series-lstm",
            "a gated recurrent network over the latest points",
            ASKED,
            FORECAST,
            _later("series.recurrent"),
            needs=TORCH[:3],
            cost=3,
            on_request=True,  # it is not fitted again on validation rows, and what it saw grows old: docs/log.md
        ),
        Learner(
            "deviation",
            "how far readings are from what the other columns let expect",
            WATCHED,
            ANOMALY,
            _later("series.deviation"),
            refuse=_refusal("too_many_beside", "series.deviation"),
        ),
        Learner(
            "distance",
            "how far a window is from good ones",
            WATCHED,
            ANOMALY,
            _later("series.distance"),
            refuse=_refusal("too_many_beside", "series.deviation"),
        ),
        Learner(
            "linear",
            "a linear model on terms, numbers and pixels",
            ANY,
            SCORED,
            _later("classic.linear"),
            cost=3,
            weighs=True,
        ),
        Learner(
            "chain",
            "a linear model a tag, each told what the ones before it say",
            ANY,
            TAGS,
            _later("classic.chain"),
            cost=2,
            refuse=_refusal("too_many", "classic.chain"),
            weighs=True,
        ),
        Learner(
            "trees",
            "gradient-boosted trees (LightGBM)",
            ASKED,
            SCORED,
            _later("classic.trees"),
            needs=("lightgbm",),
            cost=1,
            suits=TABLE | {"series"},
            leans=True,
            weighs=True,
        ),
        Learner(
            "frozen",
            "a pretrained encoder as it is, with a linear head",
            TABLE | {"text"},
            NAMED,
            _later("networks.pretrained", "fit_frozen"),
            needs=PRETRAINED,
            cost=1,
            suits=frozenset({"text"}),
            refuse=_refusal("unknown_script", "networks.encoders"),
            may_begin=True,
        ),
        Learner(
            "pretrained",
            "a pretrained encoder, fine-tuned as a whole",
            TABLE | {"text"},
            NAMED,
            _later("networks.pretrained"),
            needs=PRETRAINED,
            cost=8,
            suits=frozenset({"text"}),
            refuse=_refusal("unknown_script", "networks.encoders"),
            warm_starts=True,
            may_begin=True,
        ),
        Learner(
            "cnn",
            "convolutions over words, pixels or points",
            ANY,
            SCORED,
            _later("networks.cnn"),
            needs=TORCH,
            cost=1,
            suits=frozenset({"text", "image", "series"}),
            presets=("default", "essay"),
            warm_starts=True,
        ),
        Learner(
            "rnn",
            "a plain recurrent network over words or points",
            ASKED,
            CATEGORY,
            _later("networks.recurrent", "fit_rnn"),
            needs=TORCH,
            cost=1,
            suits=frozenset({"text", "series"}),
            presets=("default",),
            on_request=True,
            warm_starts=True,
        ),
        Learner(
            "lstm",
            "a gated recurrent network over words or points",
            ASKED,
            NAMED,
            _later("networks.recurrent", "fit_lstm"),
            needs=TORCH,
            cost=1,
            suits=frozenset({"text", "series"}),
            presets=("default", "essay-stacked", "essay-spam"),
            warm_starts=True,
        ),
        Learner(
            "transformer",
            "self-attention over words, from scratch",
            TABLE | {"text"},
            CATEGORY,
            _later("networks.transformer"),
            needs=TORCH,
            cost=1,
            suits=frozenset({"text"}),
            presets=("default", "essay"),
            on_request=True,
            warm_starts=True,
        ),
        Learner(
            "bm25",
            "passages by the question's words",
            TEXT,
            CITED,
            _later("passages.search", "fit_bm25"),
            cost=1,
            refresh=_refresh("passages.rebuilding"),
        ),
        Learner(
            "hybrid",
            "passages by words and by vectors of their own, reranked",
            TEXT,
            CITED,
            _later("passages.search", "fit_hybrid"),
            refresh=_refresh("passages.rebuilding"),
            needs=("lightgbm",),
            cost=1,
        ),
        Learner(
            "hybrid-encoder",
            "the same, with pretrained encoders beside",
            TEXT,
            CITED,
            _later("passages.search", "fit_encoder"),
            refresh=_refresh("passages.rebuilding"),
            needs=PRETRAINED,
            cost=3,
            may_begin=True,
        ),
        *_tracers(),
        Learner("popularity", "what most people want", ITEMS, ITEMS, _later("recommend.popular", "fit_popularity")),
        Learner("recent-popularity", "the same of late", ITEMS, ITEMS, _later("recommend.popular", "fit_recent")),
        Learner("item-knn", "items that the same people want", ITEMS, ITEMS, _later(MODELS, "fit_item_knn"), cost=1),
        Learner("ease", "a linear map of items to items", ITEMS, ITEMS, _later(MODELS, "fit_ease"), cost=1),
        Learner("content", "what is told of items", ITEMS, ITEMS, _later(MODELS, "fit_content"), cost=1),
        Learner(
            "als", "vectors by alternating squares", ITEMS, ITEMS, _later(MODELS, "fit_als"), ("implicit",), cost=1
        ),
        Learner(
            "bpr",
            "vectors by pairs of items",
            ITEMS,
            ITEMS,
            _later(MODELS, "fit_bpr"),
            ("implicit",),
            cost=1,
            on_request=True,
        ),
        Learner(
            "sasrec",
            "self-attention over what was wanted of late",
            ITEMS,
            ITEMS,
            _later("recommend.sequential", "fit_sasrec"),
            TORCH[:1],
            cost=3,
            on_request=True,  # below EASE on films by .03 to .07: docs/log.md
        ),
        Learner("item-blend", "several of these together", ITEMS, ITEMS, _later(MODELS, "fit_blend"), cost=2),
        Learner(
            "detector",
            "a heat-map for each class, and how far the sides of its boxes are, from scratch",
            frozenset({"image"}),
            frozenset({"boxes"}),
            _later("vision.detector"),
            needs=TORCH[:3],
            cost=1,
            presets=("default", "any-side-up"),
        ),
        Learner(
            "segmenter",
            "what each pixel is of, and which are of one thing, from scratch",
            frozenset({"image"}),
            frozenset({"masks"}),
            _later("vision.segmenter"),
            needs=TORCH[:3],
            cost=1,
            presets=("default", "any-side-up"),
        ),
        Learner(
            "pretrained-detector",
            "a pretrained detector of transformers, such as DETR, RT-DETR or YOLOS, fine-tuned",
            frozenset({"image"}),
            frozenset({"boxes"}),
            _later("vision.queries"),
            needs=PRETRAINED,
            cost=8,
            on_request=True,
            may_begin=True,
        ),
        Learner(
            "copy",
            "a part of the input as it is",
            TABLE | {"text"},
            TEXT,
            _later("retrieval.excerpt"),
            suits=frozenset({"text"}),
        ),
        Learner(
            "retrieve",
            "the answer of the most similar row",
            TABLE | {"text", "chat"},
            TEXT,
            _later("retrieval.retrieve"),
            cost=0.5,
            suits=frozenset({"text", "chat"}),
        ),
        Learner(
            "extract",
            "points at the part of a text that answers",
            TABLE | {"text"},
            TEXT,
            _later("retrieval.extract"),
            needs=TORCH,
            cost=6,
            suits=frozenset({"text"}),
            refuse=_refusal("no_text_beside"),
            may_begin=True,
        ),
        Learner(
            "repair",
            "programs one change away, run with the tests of the row",
            TABLE | {"text"},
            TEXT,
            _later("retrieval.repair"),
            on_request=True,
            refuse=_refusal("no_tests", "retrieval.repair"),
        ),
        Learner(
            "ngram", "counts of characters after characters", TABLE | {"text"}, TEXT, _later("language.ngram"), cost=0.5
        ),
        Learner(
            "seq2seq",
            "an encoder that reads and a decoder that writes",
            TABLE | {"text", "chat"},
            TEXT,
            _later("language.seq2seq"),
            needs=PRETRAINED,
            cost=8,
            refuse=_refusal("asks_nothing"),
            may_begin=True,
        ),
        Learner(
            "gpt",
            "a decoder from scratch that continues text",
            TABLE | {"text", "chat"},
            TEXT,
            _later("language.gpt"),
            needs=PRETRAINED,
            cost=8,
            refuse=_refusal("only_asks"),
        ),
        Learner(
            "llm",
            "a pretrained language model, fine-tuned",
            TABLE | {"text", "chat"},
            TEXT | CITED,
            _by_output(text=("language.llm", "fit"), cited=("passages.generating", "fit_llm")),
            refresh=_refresh("passages.generating"),
            needs=(*PRETRAINED, "peft"),
            cost=8,
            on_request=True,
            may_begin=True,
        ),
        Learner(
            "elsewhere",
            "a language model behind an OpenAI-compatible URL, as it is",
            TABLE | {"text", "chat"},
            TEXT | CITED,
            _by_output(text=("retrieval.elsewhere", "fit"), cited=("passages.generating", "fit_elsewhere")),
            refresh=_refresh("passages.generating"),
            on_request=True,
            may_begin=True,
        ),
        Learner(
            "blend",
            "the mean of two or three of the candidates above",
            ANY,
            SCORED,
            _later("classic.blend", "fit_any"),
            of_runs=True,
            leans=True,
        ),
        Learner(
            "average",
            "the weighted mean of some of the candidates above",
            ASKED,
            FORECAST,
            _later("series.average"),
            of_runs=True,
        ),
    )
}


WITHOUT_VARIANTS = frozenset(
    {"majority", "mean", "median", "linear", "trees", "chain", "blend", "naive", "seasonal-naive", "drift", "nlinear"}
)
"""Learners that choose all that they need on validation rows."""
ELSEWHERE = {
    **dict.fromkeys(("xgboost", "lightgbm", "catboost", "gbm", "random-forest", "decision-tree"), "trees"),
    **dict.fromkeys(("logistic", "logistic-regression", "svm", "naive-bayes", "ridge", "lasso"), "linear"),
    **dict.fromkeys(("bert", "roberta", "resnet", "vit", "huggingface"), "pretrained"),
    **dict.fromkeys(("gpt2", "llama", "qwen", "lora"), "llm"),
    **dict.fromkeys(("yolo", "detr", "faster-rcnn"), "detector"),
    **dict.fromkeys(("u-net", "unet"), "segmenter"),
    **dict.fromkeys(("ensemble", "stacking", "voting"), "blend"),
    **dict.fromkeys(("prophet", "sarima", "sarimax"), "arima"),
}
"""What others call it -> the learner here that learns so."""


def get(name: str) -> Learner:
    """The learner of that name. Raises: SpecError with the nearest name."""
    if name not in LEARNERS:
        near = ELSEWHERE.get(name.lower().replace("_", "-").replace(" ", "-"), "")
        hint = f"`{near}` learns so: {LEARNERS[near].summary}" if near in LEARNERS else did_you_mean(name, LEARNERS)
        raise SpecError(f"learner is '{name}', expected {expected(LEARNERS)}", hint)
    return LEARNERS[name]
