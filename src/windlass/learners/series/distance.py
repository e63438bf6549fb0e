"""Learns what sums up good windows, and how that varies: what is far from them is odd.

The covariance is shrunk towards its diagonal. Source: Ledoit & Wolf 2004, J. Multivariate Analysis 88(2).
"""

from dataclasses import replace

import numpy as np

from windlass.kinds.anomaly import YES
from windlass.learners.contract import Budget, Fitted, Options
from windlass.learners.rows import encode, finish
from windlass.learners.series.deviation import OFFSET, good_ones, series_first
from windlass.predictors.artifact import N_GOLDEN
from windlass.predictors.series.deviation import machine_places
from windlass.predictors.series.distance import Distance, write
from windlass.records import Progress, Splits

FORMS = {"series": "features", "category": "onehot"}
FLAT = 1e-6


def fit(splits: Splits, options: Options, budget: Budget, progress: Progress) -> Fitted:
    """A model of the train rows that say that all is well."""
    ordered = series_first(splits)
    encoded = encode(ordered, FORMS)
    model = learned(*good_ones(encoded))
    model = replace(model, yes=encoded.output.state["labels"].index(YES))
    write(options.artifact, model)
    scores = model(encoded.validation) if len(encoded.validation_targets) else np.zeros((0, 2))
    manifest = {"predictor": "distance", "learner": "distance"}
    return finish(options, manifest, encoded, ordered, scores, scores[:N_GOLDEN])


def learned(features: np.ndarray, machine: np.ndarray | None) -> Distance:
    """The model of these good windows (n, features); machine: of each, as one-hot."""
    from sklearn.covariance import LedoitWolf

    n_machines = machine.shape[1] - 2 if machine is not None else 0
    places = machine_places(machine, len(features), n_machines)
    everyone = features.mean(axis=0)
    own = [features[places == each].mean(axis=0) if (places == each).any() else everyone for each in range(n_machines)]
    means = np.stack([*own, everyone])
    away = features - means[places]
    deviation = np.where(away.std(axis=0) > FLAT, away.std(axis=0), 1.0)
    values, vectors = np.linalg.eigh(LedoitWolf(assume_centered=True).fit(away / deviation).covariance_)
    whitening = (vectors / np.sqrt(np.maximum(values, FLAT))) / deviation[:, None]
    model = Distance(means, whitening, 0.0)
    return replace(model, offset=float(np.percentile(model.distances(features, machine), OFFSET)))
