"""How long a page takes to find out about jobs, after 300 jobs against after 3.

python benchmarks/jobs.py       (JSON)

`ratio` is the time at 300 jobs over the time at 3 of the question that each draw of the neuron page asks: is
there a job for this neuron? The list of jobs shows the latest 20, so it reads 3 at first and 20 then.
"""

import json
import os
import tempfile
import timeit
from collections.abc import Callable

from csp.keeping import lock
from csp.keeping.jobs import JobRequest, JobState, new_job, now
from csp.work.jobs.jobs import last_job, list_jobs

FEW, MANY = 3, 300
REPEATS, ROUNDS = 20, 5
ABOUT = {"run": "demo", "layer": "layer4", "neurons": "1"}


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CSP_HOME"] = folder
        few = _after(range(FEW))
        many = _after(range(FEW, MANY))
    print(
        json.dumps(
            {
                "what": f"time at {MANY} jobs over time at {FEW}: is there a job for this neuron?",
                "ratio": round(many["last"] / few["last"], 2),
                "milliseconds": {"few": few, "many": many},
            }
        )
    )


def _after(neurons: range) -> dict[str, float]:
    """Milliseconds of both questions, once these jobs have run too."""
    for neuron in neurons:
        arguments = ABOUT | {"neurons": str(neuron)}
        folder, held = new_job(
            JobRequest(kind="candidates", arguments=arguments, title="One", by="", created=now())
        )
        folder.write_standing(JobState(state="done", started=now(), ended=now()))
        lock.release(held)
    return {
        "last": _milliseconds(lambda: last_job("candidates", ABOUT)),
        "list": _milliseconds(lambda: list_jobs(20)),
    }


def _milliseconds(work: Callable[[], object]) -> float:
    return round(1000 * min(timeit.repeat(work, number=REPEATS, repeat=ROUNDS)) / REPEATS, 3)


if __name__ == "__main__":
    main()
