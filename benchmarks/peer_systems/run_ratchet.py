"""Ratchet as a user runs it: a project folder, ``ratchet improve``, ``ratchet approve``; measured by ``ratchet eval``.

The gate's held-out cases are the validation items. The test items live in a project of their own, into which only the
prompts are copied; the training items stand there too, because a prompt may fetch solved cases.
"""

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
TASK = "measured"
SERVED = 20
"""Calls kept back for serving training cases before the first cycle, which is no part of what a cycle may pay for. It
ends when twelve have failed, and of these tasks most fail at the start. Before a later cycle all of them may be served.
What was really served is counted afterwards."""
Job = dict[str, Any]


def optimise(job: Job, folder: Path, url: str) -> dict[str, Any]:
    """Cycles until one changes nothing, or `job["cycles"]` of them; each change is approved.

    The points hold the prompts file after each change. `seconds` are spent inside `improve`, `process_seconds` in its
    processes; `approving_seconds` in those of `approve`, which calls no model.
    """
    project = Project(folder / "project", job, {"train": "train", "validation": "holdout"})
    points: list[dict[str, Any]] = [{"at": time.time(), "program": project.prompts.read_text(encoding="utf-8")}]
    found: dict[str, Any] = {"points": points, "cycles": [], "steps": []}
    found |= {"process_seconds": 0.0, "approving_seconds": 0.0}
    left, seconds = job["budget"], 0.0
    for number in range(job["cycles"]):
        kept_back = len(job["train"]) if number else SERVED
        if left <= kept_back:
            break
        served = project.count_served()
        cycle = project.ratchet(url, left - kept_back, "improve", TASK)
        left -= cycle["calls"] + project.count_served() - served
        seconds += cycle["inside"]
        found["process_seconds"] += cycle["process"]
        found["steps"] += cycle["steps"]
        found["cycles"].append({key: cycle[key] for key in ("category", "verdict", "status", "calls", "message")})
        if cycle["status"] != "awaiting_approval":
            break
        approved = project.ratchet(url, left, "approve", cycle["cycle_id"], "--reviewer", "benchmark")
        found["approving_seconds"] += approved["process"]
        points.append({"at": time.time(), "program": project.prompts.read_text(encoding="utf-8")})
    return {**found, "seconds": seconds}


def score(job: Job, folder: Path, url: str) -> dict[str, Any]:
    """The share of test items that each point's prompts get right."""
    rates = []
    for n, point in enumerate(job["points"]):
        project = Project(folder / f"test{n}", job, {"train": "train", "test": "holdout"})
        project.prompts.write_text(point["program"], encoding="utf-8")
        rates.append(project.ratchet(url, 0, "eval", TASK, "--split", "holdout")["success_rate"])
    return {"rates": rates}


class Project:
    """A folder in which the command runs."""

    def __init__(self, folder: Path, job: Job, splits: dict[str, str]) -> None:
        """`splits` says which of the job's splits are training and which are held-out cases here."""
        self.folder, self.prompts, self._job = folder, folder / "task_prompts.json", job
        task = folder / "tasks" / TASK
        task.mkdir(parents=True)
        cases = [
            {"id": f"{name}-{n}", "input": item["input"], "expected": item["expected"], "split": split}
            for name, split in splits.items()
            for n, item in enumerate(job[name])
        ]
        (task / "cases.jsonl").write_text("\n".join(json.dumps(case) for case in cases), encoding="utf-8")
        (task / "task.toml").write_text(_settings(job), encoding="utf-8")
        for name, texts in job["documents"].items():
            (task / name).mkdir()
            for n, text in enumerate(texts):
                (task / name / f"{n:03d}.txt").write_text(text, encoding="utf-8")
        (folder / "behavior_rules.json").write_text('{"rules": []}')
        self.prompts.write_text(json.dumps({TASK: job["prompt"]}))

    def count_served(self) -> int:
        """Runs that were served so far."""
        store = self.folder / ".ratchet" / "ratchet.sqlite"
        if not store.exists():
            return 0
        with closing(sqlite3.connect(store)) as database:
            return int(database.execute("select count(*) from runs").fetchone()[0])

    def ratchet(self, url: str, budget: int, *arguments: str) -> dict[str, Any]:
        """The JSON output of a command whose calls go to `url`, the seconds `inside` it and of its `process`, and its
        `steps` with the time of each."""
        command = [
            sys.executable,
            str(Path(__file__).with_name("timed_command.py")),
            "notes.json",
            *arguments,
            "--json",
        ]
        started = time.perf_counter()
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment(url, budget), stdout=subprocess.PIPE, text=True, check=True
        )
        process = time.perf_counter() - started
        notes = json.loads((self.folder / "notes.json").read_text(encoding="utf-8"))
        return {**json.loads(done.stdout), **notes, "process": process}

    def _environment(self, url: str, budget: int) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RATCHET_")}
        roles = ("AGENT", "JUDGE", "ANALYST", "OPTIMIZER")
        models = {f"RATCHET_{role}_MODEL": f"openai:{self._job['model']}" for role in roles}
        return {
            **kept,
            **models,
            "RATCHET_CONCURRENCY": str(self._job["concurrency"]),
            "RATCHET_MAX_CALLS": str(budget),
            "OPENAI_BASE_URL": url,
            "OPENAI_API_KEY": "-",
            "PYTHONPATH": str(REPOSITORY),
        }


def _settings(job: Job) -> str:
    lines = [
        f'description = "{job["description"]}"\ncomponents = ["{TASK}"]',
        f'[[criteria]]\nname = "correct"\nkind = "{job["match"]}"\nrequired = true',
        f"[agent]\ntemperature = 0.0\nmax_tokens = {job['max_tokens']}",
    ]
    lines += [
        f'[[context_sources]]\nname = "{name}"\nkind = "documents"\npath = "{name}"\npassage_words = 60'
        for name in job["documents"]
    ]
    return "\n\n".join(lines)
