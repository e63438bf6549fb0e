"""AutoGluon on rows that `number_tables.py` wrote, run by an interpreter that has it; its answers go to `answers.txt`.

Usage: python benchmarks/autogluon_peer.py FOLDER TARGET SECONDS    (FOLDER holds l.csv to learn from, t.csv to answer)
"""

import sys
from pathlib import Path


def main() -> None:
    # beside our ranges there may be no AutoGluon: it is imported where it runs alone
    import numpy as np
    import pandas as pd
    from autogluon.tabular import TabularPredictor

    folder, target, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    learned, asked = (pd.read_csv(folder / name) for name in ("l.csv", "t.csv"))
    predictor = TabularPredictor(
        target,
        problem_type="regression",
        eval_metric="mean_absolute_error",
        path=str(folder / "autogluon"),
        verbosity=1,
    ).fit(learned, time_limit=seconds, num_cpus=2)
    np.savetxt(folder / "answers.txt", predictor.predict(asked).to_numpy())


if __name__ == "__main__":
    main()
