"""scikit-learn is imported without scipy.stats and pandas, and still finds them when it needs them."""

import subprocess
import sys

PROGRAM = """
import sys
from windlass.learners import scikit
scikit.load()
assert not {"scipy.stats", "pandas"} & set(sys.modules), "they were imported"
from sklearn.metrics import label_ranking_loss, label_ranking_average_precision_score as ranked
from sklearn.preprocessing import PowerTransformer
import numpy as np
assert abs(ranked(np.array([[1, 0, 1]]), np.array([[.9, .8, .1]])) - (1 + 2 / 3) / 2) < 1e-9
assert abs(PowerTransformer().fit_transform(np.arange(9.0)[:, None] ** 2).mean()) < 1e-9
import scipy.stats, pandas
assert scipy.stats.chi2.ppf(.95, 1) > 3.8
assert pandas.DataFrame({"a": [1]}).shape == (1, 1)
"""


def test_it_needs_neither_and_finds_both():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=120)
