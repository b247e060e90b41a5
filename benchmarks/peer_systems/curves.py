"""Held-out score against calls: Ratchet, gepa and DSPy's random search with an equal budget and several seeds."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.peer_systems.environments import python_of
from benchmarks.peer_systems.jobs import Job, permute
from benchmarks.peer_systems.server import CountingServer
from benchmarks.peer_systems.systems import SYSTEMS, measure

COMPARED = ("ratchet", "gepa", "dspy-bootstrap")


class Curves(NamedTuple):
    """What is compared on which task."""

    task: str
    seeds: int
    budget: int
    """Model calls of one optimisation."""


CYCLES = 8
"""Cycles at most; the budget ends them earlier."""
FIXED_CANDIDATES = 3
"""Programs that the random search measures before its random ones."""


def curves(
    job: Job, options: Curves, server: CountingServer, folder: Path, envs: Path, kept: Path
) -> list[dict[str, Any]]:
    """A run of each system for each seed, as JSON-able objects. `kept` holds what earlier, interrupted calls with the
    same options have measured; each run is added to it as soon as it is done, and none is made twice."""
    found = _read_kept(kept, options)
    done = {(run["seed"], run["system"]) for run in found}
    for seed in range(options.seeds):
        whole = {**job, "budget": options.budget, "cycles": CYCLES, "candidates": _candidates(job, options.budget)}
        for system in SYSTEMS:
            if system.name in COMPARED and (seed, system.label) not in done:
                print(f"seed {seed}: {system.label}", file=sys.stderr)
                measured = measure(system, permute(whole, seed), server, folder / f"{seed}-{system.name}", envs)
                found.append(measured.as_json())
                document = {**options._asdict(), "runs": sorted(found, key=lambda run: run["seed"])}
                kept.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return [run for run in found if run["seed"] < options.seeds]


def _read_kept(file: Path, options: Curves) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    document = json.loads(file.read_text(encoding="utf-8"))
    runs: list[dict[str, Any]] = document["runs"]
    return runs if (document["task"], document["budget"]) == (options.task, options.budget) else []


def _candidates(job: Job, budget: int) -> int:
    """Random programs that fit the budget beside the fixed ones; each costs a pass over the validation items, and
    bootstrapping about one over the training items."""
    passes = (budget - len(job["train"])) // len(job["validation"])
    return max(1, passes - FIXED_CANDIDATES)


def plot(results: Path, picture: Path, envs: Path) -> None:
    """Draw the curves of a results file, in an environment of its own."""
    script = Path(__file__).with_name("plot.py")
    subprocess.run([str(python_of("plot", envs)), str(script), str(results), str(picture)], check=True)
