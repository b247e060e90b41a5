"""What a cycle that is killed again and again pays, and whether it ends with the same decision.

A project with a prompt to improve is made in a temporary folder, and a model endpoint that counts every request runs in
this process. `ratchet improve` runs undisturbed once. Then, in a fresh project, it is ended with SIGKILL at ten moments
spread over its life, and started again each time. It is killed once more as soon as its approval waits. `ratchet
approve` is killed at every step of applying, too. Exit code 1 if anything but calls in flight was paid for in vain, the
decision differs, or the change was not applied exactly once.

A call is paid for in vain if its reply is not kept; a kept one is kept under its content and never paid for again. The
two cycles look at the held-out cases in orders of their own, so that one may need a block more than the other.
"""

import argparse
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.counting_endpoint import CountingEndpoint

CONCURRENCY = 4
LATENCY = 0.04
"""Seconds the endpoint takes for an answer."""
PATIENCE = 600.0
"""Seconds after which a command that neither ends nor gets anywhere is taken to hang."""
TASK = """
description = "Says where things are kept"
components = ["shop"]

[[criteria]]
name = "correct"
kind = "contains"
required = true

[[criteria]]
name = "short"
kind = "max_words"
limit = 5
required = true

[[criteria]]
name = "polite"
kind = "judge"
question = "Is the answer polite?"
"""
APPROVING = {
    "the answer is noted": "SELECT 1 FROM proposals WHERE status = 'approved'",
    "the version is written": "SELECT 1 FROM versions WHERE proposal_id IS NOT NULL",
    "the version is active": "SELECT 1 FROM versions WHERE proposal_id IS NOT NULL AND status = 'active'",
}
"""What the database says at the steps of `approve`."""


def answer(model: str, messages: list[dict[str, Any]]) -> str:
    """The model of each role: of every second item the agent speaks at length, unless it is told not to."""
    if model == "judge":
        return '{"reason": "it is", "verdict": true}'
    if model == "analyst":
        return '{"category": "prompt", "missing": "", "explanation": "The answers are too long."}'
    if model == "optimizer":
        return "Answer the question with care."
    found = re.search(r"item(\d\d)", messages[-1]["content"])
    item = found[1] if found else "??"
    told = "at most 5 words" in messages[0]["content"]
    return f"bin{item}x" if told or int(item) % 2 else f"As far as I know it is kept in bin{item}x"


class Kill(NamedTuple):
    """One SIGKILL and what was found after it."""

    phase: str
    answered: int
    """Calls answered in all before it."""
    in_flight: int
    """Calls begun whose reply was not kept yet, answered a moment ago or not at all."""


class Project:
    """A folder in which the `ratchet` command is run against the endpoint."""

    def __init__(self, folder: Path, endpoint: CountingEndpoint) -> None:
        self.folder, self.endpoint = folder, endpoint
        task = folder / "tasks" / "shop"
        task.mkdir(parents=True)
        cases = [
            {"id": f"c{n:02d}", "input": f"Where is item{n:02d}?", "expected": f"bin{n:02d}x", "split": split}
            for n, split in enumerate(["train"] * 16 + ["holdout"] * 60)
        ]
        (task / "cases.jsonl").write_text("\n".join(json.dumps(case) for case in cases), encoding="utf-8")
        (task / "task.toml").write_text(TASK, encoding="utf-8")
        (folder / "behavior_rules.json").write_text('{"rules": ["Be polite."]}', encoding="utf-8")
        (folder / "task_prompts.json").write_text('{"shop": "Answer the question."}', encoding="utf-8")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A `ratchet` command in a process group of its own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RATCHET_", "OPENAI_"))}
        models = {
            f"RATCHET_{role.upper()}_MODEL": f"openai:{role}" for role in ("agent", "judge", "analyst", "optimizer")
        }
        endpoint = {"OPENAI_BASE_URL": self.endpoint.url, "OPENAI_API_KEY": "-", "LANGSMITH_TRACING": "false"}
        return subprocess.Popen(
            [sys.executable, "-m", "service.cli", *arguments, "--json"],
            cwd=self.folder,
            env=kept | models | endpoint | {"RATCHET_CONCURRENCY": str(CONCURRENCY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def ratchet(self, *arguments: str) -> dict[str, Any]:
        """The JSON output of a command that ends by itself."""
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            kill(process)
            sys.exit(f"ratchet {' '.join(arguments)} hangs")
        if process.returncode:
            return {"status": "error", "message": err.strip()}
        found: dict[str, Any] = json.loads(out)
        return found

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of the project's database; none before it exists."""
        file = self.folder / ".ratchet" / "ratchet.sqlite"
        if not file.exists():
            return []
        connection = sqlite3.connect(file, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(sql)]
        except sqlite3.OperationalError:  # the tables are not made yet
            return []
        finally:
            connection.close()

    def count_kept(self) -> int:
        """Replies in the store."""
        return sum(row["n"] for row in self.query("SELECT count(*) AS n FROM replies"))

    def phase(self) -> str:
        """Where the work stands, as the database says."""
        cycles = self.query("SELECT status, category FROM cycles")
        if not cycles:
            return "serving training cases"
        if cycles[0]["status"] != "running":
            return str(cycles[0]["status"])
        if not cycles[0]["category"]:
            return "diagnose"
        if self.query("SELECT 1 FROM gate_tests"):
            return "gate"
        return "race" if self.query("SELECT 1 FROM replies WHERE role = 'optimizer'") else "propose"

    def kill_when(self, moment: Callable[[], bool], *arguments: str, wait: float = 0.0) -> bool:
        """Run a command and kill it `wait` seconds after `moment` has come; False if it ended before."""
        process, deadline = self.start(*arguments), time.monotonic() + PATIENCE
        while not moment():
            if process.poll() is not None:
                return False
            if time.monotonic() > deadline:
                kill(process)
                sys.exit(f"ratchet {' '.join(arguments)} hangs, {self.endpoint.answered.total()} calls answered")
            time.sleep(0.001)
        time.sleep(wait)
        ended = process.poll() is not None
        kill(process)
        return not ended


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL to a command that this program started, and to nothing else."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def decision(project: Project) -> dict[str, Any]:
    """What the one cycle of a project has decided."""
    rows = project.query("SELECT id, category, verdict, status, document FROM cycles")
    if len(rows) != 1:
        return {"cycles": len(rows)}
    document = json.loads(rows[0]["document"])
    proposal, validation = document.get("proposal") or {}, document.get("validation") or {}
    return {
        "category": rows[0]["category"],
        "verdict": rows[0]["verdict"],
        "status": rows[0]["status"],
        "change_hash": proposal.get("change_hash"),
        "strategy": proposal.get("strategy"),
        "failures": len(document.get("failures", [])),
        "proven": validation.get("proven"),
    }


def looked_at(project: Project) -> int:
    """Held-out cases that the gate has looked at."""
    (row,) = project.query("SELECT document FROM cycles")
    return int((json.loads(row["document"]).get("validation") or {"after": {"n": 0}})["after"]["n"])


def improve_undisturbed(folder: Path) -> dict[str, Any]:
    """The reference: one cycle that nothing happens to."""
    with CountingEndpoint(answer, LATENCY) as endpoint:
        project, started = Project(folder, endpoint), time.perf_counter()
        cycle = project.ratchet("improve", "shop")
        return {
            "decision": decision(project),
            "held_out": looked_at(project),
            "calls": endpoint.received.total(),
            "calls_of_the_cycle": cycle.get("calls"),
            "kept": project.count_kept(),
            "seconds": round(time.perf_counter() - started, 1),
        }


def improve_killed(project: Project, kills: int, calls: int, rng: random.Random) -> list[Kill]:
    """Kill `improve` at `kills` moments spread over its `calls`, one of them while a proposal is written."""
    endpoint, found = project.endpoint, []
    wasted, met_optimizer = 0, False
    for number in range(kills):
        target = round(calls * (number + rng.uniform(0.2, 0.8)) / kills)

        def due(target: int = target, met: bool = met_optimizer) -> bool:
            asked = endpoint.in_flight["optimizer"] > 0 and not met
            return asked or endpoint.answered.total() >= target

        if not project.kill_when(due, "improve", "shop", wait=rng.uniform(0, LATENCY / 2)):
            break
        met_optimizer = met_optimizer or endpoint.asked["optimizer"] > 0
        answered = endpoint.answered.total()
        endpoint.settle()
        lost = endpoint.received.total() - project.count_kept() - wasted
        wasted += lost
        found.append(Kill(project.phase(), answered, lost))
        print(f"kill {number + 1}: {found[-1]}", file=sys.stderr)
    return found


def approve_killed(project: Project) -> list[str]:
    """Kill `improve` as soon as its approval waits, then `approve` at each step; says which of them were met."""
    waits = "SELECT 1 FROM cycles WHERE status = 'awaiting_approval'"
    met = ["the approval waits"] if project.kill_when(lambda: bool(project.query(waits)), "improve", "shop") else []
    status = project.ratchet("improve", "shop")["status"]
    if status != "awaiting_approval":
        return [*met, f"then improve said {status}"]
    cycle = project.query("SELECT id FROM cycles")[0]["id"]
    for name, sql in APPROVING.items():
        if project.kill_when(lambda sql=sql: bool(project.query(sql)), "approve", cycle, "--reviewer", "ada"):
            met.append(name)
    return met


def apply_to_the_end(project: Project) -> dict[str, Any]:
    """Approve to the end, and what is live then."""
    cycle = project.query("SELECT id FROM cycles")[0]["id"]
    outcome = project.ratchet("approve", cycle, "--reviewer", "ada")
    versions = project.query("SELECT status, file_text FROM versions WHERE proposal_id IS NOT NULL")
    text = (project.folder / "task_prompts.json").read_text(encoding="utf-8")
    return {
        "outcome": outcome.get("message"),
        "versions": [row["status"] for row in versions],
        "audit_rows": len(project.query("SELECT 1 FROM audit WHERE action = 'apply'")),
        "cycle": [row["status"] for row in project.query("SELECT status FROM cycles")],
        "failures": sorted(row["status"] for row in project.query("SELECT status FROM failures")),
        "file_is_the_version": [row["file_text"] for row in versions] == [text],
        "audit_is_whole": project.ratchet("audit", "--verify").get("whole"),
    }


def measure(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    """Both projects, and whether the claim holds."""
    rng = random.Random(seed)
    reference = improve_undisturbed(folder / "undisturbed")
    with CountingEndpoint(answer, LATENCY) as endpoint:
        project, started = Project(folder / "killed", endpoint), time.perf_counter()
        killed = improve_killed(project, kills, reference["calls"], rng)
        met = approve_killed(project)
        extra = endpoint.received.total() - project.count_kept()
        result = {
            "undisturbed": reference,
            "kills": [kill._asdict() for kill in killed],
            "decision": decision(project),
            "held_out": looked_at(project),
            "calls": endpoint.received.total(),
            "kept": project.count_kept(),
            "extra_calls": extra,
            "in_flight": sum(kill.in_flight for kill in killed),
            "killed_in_approval": met,
            "applied": apply_to_the_end(project),
            "seconds": round(time.perf_counter() - started, 1),
        }
    result["problems"] = problems(result, kills)
    return result


def problems(result: dict[str, Any], kills: int) -> list[str]:
    """What speaks against the claim."""
    last, live = result["decision"], result["applied"]
    wanted = {
        f"{kills} kills hit a running cycle": len(result["kills"]) == kills,
        "nothing but calls in flight was paid for in vain": result["extra_calls"] <= result["in_flight"],
        "the decision is the same": last == result["undisturbed"]["decision"] and bool(last.get("change_hash")),
        "every step of the approval was met": result["killed_in_approval"] == ["the approval waits", *APPROVING],
        "the change was applied exactly once": live["versions"] == ["active"] and live["audit_rows"] == 1,
        "the file is the version, the cycle is applied": live["file_is_the_version"] and live["cycle"] == ["applied"],
        "the failures are fixed": set(live["failures"]) == {"fixed"} and len(live["failures"]) == last.get("failures"),
        "the audit log is whole": live["audit_is_whole"] is True,
    }
    return [f"not so: {claim}" for claim, holds in wanted.items() if not holds]


def report(result: dict[str, Any]) -> str:
    """The measurement for people."""
    reference = result["undisturbed"]
    lines = [
        f"undisturbed: {reference['calls']} calls, {reference['held_out']} held-out cases looked at, "
        f"{reference['seconds']} s, {reference['decision']}",
        "",
    ]
    lines += ["| kill | while | calls answered | in flight |", "|---|---|---|---|"]
    lines += [
        f"| {number} | {kill['phase']} | {kill['answered']} | {kill['in_flight']} |"
        for number, kill in enumerate(result["kills"], 1)
    ]
    lines += [
        "",
        f"killed: {result['calls']} calls, {result['kept']} of them kept, {result['extra_calls']} lost; "
        f"{result['in_flight']} were in flight at the kills; {result['held_out']} held-out cases looked at",
        f"decision: {result['decision']}",
        f"also killed when: {', '.join(result['killed_in_approval'])}",
        f"live then: {result['applied']}",
        *(result["problems"] or ["the claim holds"]),
    ]
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=10, help="kills while the cycle runs (default 10)")
    parser.add_argument("--seed", type=int, default=20, help="decides the moments (default 20)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), options.kills, options.seed)
    print(json.dumps(result) if options.json else report(result))
    sys.exit(1 if result["problems"] else 0)


if __name__ == "__main__":
    main()
