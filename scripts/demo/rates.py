"""Print how often each attribute of the drawn world occurs, overall and per diagnosis, as a Markdown table.

python scripts/demo/rates.py
"""

from __future__ import annotations

import numpy as np

from csp.world.dermoscopy import ATTRIBUTES, DIAGNOSES, sample_case

N_CASES = 4000


def main() -> None:
    """Print the table."""
    cases = [sample_case(seed) for seed in range(N_CASES)]
    flags = np.array([list(case.flags().values()) for case in cases])
    diagnoses = np.array([case.diagnosis for case in cases])
    print("| attribute | all | " + " | ".join(DIAGNOSES) + " |")
    print("| --- |" + " ---: |" * (1 + len(DIAGNOSES)))
    for column, name in enumerate(ATTRIBUTES):
        shares = [flags[:, column].mean()]
        shares += [flags[diagnoses == diagnosis, column].mean() for diagnosis in DIAGNOSES]
        print(f"| `{name}` | " + " | ".join(f"{round(100 * share)} %" for share in shares) + " |")


if __name__ == "__main__":
    main()
