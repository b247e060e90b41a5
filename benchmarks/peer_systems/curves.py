"""Held-out score against calls: Ratchet, gepa and DSPy's random search with an equal budget and several seeds."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.peer_systems.environments import python_of
from benchmarks.peer_systems.jobs import Job, permuted
from benchmarks.peer_systems.server import CountingServer
from benchmarks.peer_systems.systems import SYSTEMS, measure

COMPARED = ("ratchet", "gepa", "dspy-bootstrap")
CYCLES = 8
"""Cycles at most; the budget ends them earlier."""
FIXED_CANDIDATES = 3
"""Programs that the random search measures before its random ones."""


def curves(job: Job, seeds: int, budget: int, server: CountingServer, folder: Path, envs: Path) -> list[dict[str, Any]]:
    """A run of each system for each seed, as JSON-able objects."""
    found = []
    for seed in range(seeds):
        limited = permuted({**job, "budget": budget, "cycles": CYCLES, "candidates": _candidates(job, budget)}, seed)
        for system in SYSTEMS:
            if system.name in COMPARED:
                print(f"seed {seed}: {system.label}", file=sys.stderr)
                measured = measure(system, limited, server, folder / f"{seed}-{system.name}", envs)
                found.append(measured.as_json())
    return found


def _candidates(job: Job, budget: int) -> int:
    """Random programs that fit the budget beside the fixed ones; each costs a pass over the validation items, and
    bootstrapping about one over the training items."""
    passes = (budget - len(job["train"])) // len(job["validation"])
    return max(1, passes - FIXED_CANDIDATES)


def plot(results: Path, picture: Path, envs: Path) -> None:
    """Draw the curves of a results file, in an environment of its own."""
    script = Path(__file__).with_name("plot.py")
    subprocess.run([str(python_of("plot", envs)), str(script), str(results), str(picture)], check=True)
