"""What is right, for the scripts that run in the peers' own environments. Standard library only.

The words of the feedback are those of Ratchet's own criteria, so that every author model reads the same.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def right(match: str, output: str, expected: Any) -> bool:
    """Whether `output` is (`exact`) or holds (`contains`) an expected text; case and outer white space do not count."""
    said = output.strip().casefold()
    wanted = [text.strip().casefold() for text in _options(expected)]
    return said in wanted if match == "exact" else any(text in said for text in wanted)


def feedback(match: str, expected: Any) -> str:
    """What was wrong with an output."""
    verb = "is not" if match == "exact" else "does not contain"
    return f"{verb} {' or '.join(repr(text) for text in _options(expected)[:3])}"


def _options(expected: Any) -> list[str]:
    return [str(value) for value in (expected if isinstance(expected, list) else [expected])]


Run = Callable[[dict[str, Any], Path], dict[str, Any]]


def main(optimise: Run, score: Run) -> None:
    """``SCRIPT optimise|score JOB RESULT``: read the job, do it beside the job's file, write what was found."""
    step, job, result = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    wanted = json.loads(job.read_text(encoding="utf-8"))
    started = time.perf_counter()
    found = (optimise if step == "optimise" else score)(wanted, job.parent)
    found.setdefault("seconds", round(time.perf_counter() - started, 3))
    result.write_text(json.dumps(found), encoding="utf-8")
