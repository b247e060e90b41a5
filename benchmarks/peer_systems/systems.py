"""The systems that are measured, and how one of them is run and counted."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.peer_systems import run_ratchet
from benchmarks.peer_systems.environments import python_of
from benchmarks.peer_systems.server import Call, Counted, CountingServer, count

Job = dict[str, Any]
HERE = Path(__file__).parent


class System(NamedTuple):
    """A row of the table."""

    name: str
    label: str
    group: str
    """Its environment; empty: this one."""
    options: dict[str, Any]
    gate: bool = False
    """Whether it refuses a change that is not proven."""


SYSTEMS = (
    System("ratchet", "ratchet", "", {}, gate=True),
    System("gepa-stop", "gepa 0.1.4, stops at 1.0", "gepa", {"stop": True}),
    System("gepa", "gepa 0.1.4, own stopping", "gepa", {"stop": False}),
    System("dspy-gepa", "dspy 3.4.1 GEPA", "dspy", {"optimiser": "gepa"}),
    System("dspy-mipro", "dspy MIPROv2 light", "dspy", {"optimiser": "mipro"}),
    System("dspy-bootstrap", "dspy bootstrap random search", "dspy", {"optimiser": "bootstrap", "stop": False}),
    System("dspy-bootstrap-stop", "the same, stops at 1.0", "dspy", {"optimiser": "bootstrap", "stop": True}),
)


class Measured(NamedTuple):
    """What a run took and found. `points` are what was best in the course of it, with test scores."""

    system: str
    seed: int
    counted: Counted
    inside_seconds: float
    """Inside the optimiser's call, without the imports before it."""
    process_seconds: float
    """Of the whole process or command."""
    before: float
    after: float
    gate: bool
    points: list[dict[str, Any]]
    detail: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """A flat object."""
        fields = self._asdict()
        return {**fields.pop("counted")._asdict(), **fields}


def measure(system: System, job: Job, server: CountingServer, folder: Path, envs: Path) -> Measured:
    """Optimise, then measure on the test items; only calls of the first step are counted.

    Raises:
        subprocess.CalledProcessError: the system failed; its own words are on stderr.
    """
    folder.mkdir(parents=True)
    run = f"{system.name}-{job['seed']}-{time.time_ns()}"
    whole = {**job, **system.options}
    optimised = _step(system, "optimise", whole, server.url(run), folder, envs)
    calls = server.calls(run)
    scored = _step(system, "score", {**whole, "points": optimised["points"]}, server.url(run + "-test"), folder, envs)
    points = [
        {"calls": sum(call.started < point["at"] for call in calls), "test": rate}
        for point, rate in zip(optimised["points"], scored["rates"], strict=True)
    ]
    detail = {key: value for key, value in optimised.items() if key in ("cycles", "approving_seconds")}
    if "steps" in optimised:
        detail["steps"] = by_step(calls, optimised["steps"], {item["input"] for item in job["validation"]})
    return Measured(
        system=system.label,
        seed=job["seed"],
        counted=count(calls),
        inside_seconds=round(optimised["seconds"], 2),
        process_seconds=round(optimised["process_seconds"], 2),
        before=scored["rates"][0],
        after=scored["rates"][-1],
        gate=system.gate,
        points=points,
        detail=detail,
    )


def by_step(calls: list[Call], steps: list[tuple[float, str]], held_out: set[str]) -> list[dict[str, Any]]:
    """What each step of a cycle asked for: the last one announced before a call, or the gate for held-out inputs."""
    found: dict[str, list[Call]] = {}
    for call in sorted(calls):
        announced = [text for at, text in steps if at <= call.started]
        name = "the gate" if call.asked in held_out else announced[-1] if announced else "serving training cases"
        found.setdefault(name, []).append(call)
    return [{"step": name, **count(of_step)._asdict()} for name, of_step in found.items()]


def _step(system: System, step: str, job: Job, url: str, folder: Path, envs: Path) -> dict[str, Any]:
    if not system.group:
        own = run_ratchet.optimise if step == "optimise" else run_ratchet.score
        return own(job, folder, url)
    job_file, result = folder / f"{step}.json", folder / f"{step}_result.json"
    job_file.write_text(json.dumps(job), encoding="utf-8")
    python = python_of(system.group, envs)
    command = [str(python), str(HERE / f"run_{system.group}.py"), step, str(job_file), str(result)]
    started = time.perf_counter()
    with (folder / f"{step}.log").open("w") as log:
        done = subprocess.run(command, cwd=folder, env=_environment(url, folder), stdout=log, stderr=log)
    seconds = time.perf_counter() - started
    if done.returncode:
        print((folder / f"{step}.log").read_text(errors="replace")[-3000:], file=sys.stderr)
        done.check_returncode()
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return {**found, "process_seconds": seconds}


def _environment(url: str, folder: Path) -> dict[str, str]:
    """Nothing of this environment's Python; an empty cache of its own; the model price list from the package."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RATCHET_", "PYTHON", "OPENAI_"))}
    return {
        **kept,
        "OPENAI_BASE_URL": url,
        "OPENAI_API_BASE": url,
        "OPENAI_API_KEY": "-",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "DSPY_CACHEDIR": str(folder / "cache"),
    }
