"""Asks something of a model in a process of its own, which then ends: a server that only shows stays small.

python -m csp.work.jobs.one_shot MODULE:FUNCTION < ARGUMENTS > ANSWER        (JSON in, JSON out)
"""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from csp.errors import CspError, UnavailableError
from csp.plugins import load, reference_to


def in_own_process(function: Callable[[Any], Any], arguments: object, seconds: float = 600) -> Any:
    """What a function of a module answers to `arguments`, both plain JSON.

    Raises UnavailableError with the function's own sentence when it raised a CspError, and when the process
    died or took longer than `seconds`.
    """
    command = [sys.executable, "-m", "csp.work.jobs.one_shot", reference_to(function)]
    try:
        done = subprocess.run(
            command, input=json.dumps(arguments), capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"There was no answer within {seconds:.0f} s; try again later.") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it was killed, perhaps for want of memory"])[-1]
        raise UnavailableError(f"The model could not be asked: {last}.")
    answer = json.loads(done.stdout.splitlines()[-1])
    if "error" in answer:
        raise UnavailableError(answer["error"])
    return answer["answer"]


def _answer(reference: str, arguments: object) -> dict[str, object]:
    try:
        return {"answer": load(reference)(arguments)}
    except CspError as error:
        return {"error": str(error)}


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(_answer(sys.argv[1], json.load(sys.stdin))))
