"""What the loop finds by itself with the embedded model on two public data sets.

SQuAD questions with "Answer the question." and no context, and banking77 messages with "Classify the customer's
message.". For each a project is made in a temporary folder, and the `ratchet` command is run as a user would: eval,
improve, approve, eval. The data are read from a folder (``--data``); where it is missing the benchmark says so.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

REPOSITORY = Path(__file__).parents[1]
SQUAD_CASES = 120


class Scenario(NamedTuple):
    """A project to be made and what was asked of it."""

    name: str
    prompt: str
    make: Callable[[Path, Path], None]
    target: float
    """Held-out success rate that the loop has to reach."""


def read(file: Path) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def make_squad(data: Path, task: Path) -> None:
    """Questions on one article, held out by the default split, and its paragraphs as documents."""
    questions = read(data / "squad_superbowl_qa.jsonl")[:SQUAD_CASES]
    cases = [
        {"id": f"q{n}", "input": question["input"], "expected": question["expected"]}
        for n, question in enumerate(questions)
    ]
    (task / "cases.jsonl").write_text("\n".join(json.dumps(case) for case in cases), encoding="utf-8")
    (task / "documents").mkdir()
    for n, document in enumerate(read(data / "squad_superbowl_docs.jsonl")):
        (task / "documents" / f"{n:02d}.txt").write_text(document["text"], encoding="utf-8")
    settings = 'max_tokens = 64\n\n[[context_sources]]\nname = "article"\nkind = "documents"\npath = "documents"\n'
    settings += "passage_words = 60\n"
    write_task(task, "Answers questions about a sports final", settings)


def make_banking(data: Path, task: Path) -> None:
    """Messages of bank customers with one of eight labels."""
    cases = read(data / "banking77_8labels.jsonl")
    kept = [{key: case[key] for key in ("id", "input", "expected", "split")} for case in cases]
    (task / "cases.jsonl").write_text("\n".join(json.dumps(case) for case in kept), encoding="utf-8")
    write_task(task, "Names the intent of a bank customer's message", "max_tokens = 16\n")


def write_task(task: Path, description: str, rest: str) -> None:
    """The task.toml of a scenario: one required criterion, the expected text is contained."""
    (task / "task.toml").write_text(
        f'description = "{description}"\ncomponents = ["{task.name}"]\n\n'
        f'[[criteria]]\nname = "correct"\nkind = "contains"\nrequired = true\n\n[agent]\ntemperature = 0.0\n{rest}',
        encoding="utf-8",
    )


SCENARIOS = (
    Scenario("squad", "Answer the question.", make_squad, 0.30),
    Scenario("banking77", "Classify the customer's message.", make_banking, 0.60),
)


class Project:
    """A folder in which the `ratchet` command is run."""

    def __init__(self, folder: Path, scenario: Scenario, data: Path) -> None:
        self.folder, self.task = folder, scenario.name
        task = folder / "tasks" / scenario.name
        task.mkdir(parents=True)
        scenario.make(data, task)
        (folder / "behavior_rules.json").write_text('{"rules": []}')
        (folder / "task_prompts.json").write_text(json.dumps({scenario.name: scenario.prompt}))

    def ratchet(self, *arguments: str) -> dict[str, Any]:
        """The JSON output of a command."""
        command = [sys.executable, "-m", "service.cli", *arguments, "--json"]
        done = subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def rate(self) -> dict[str, Any]:
        """The held-out success rate."""
        return self.ratchet("eval", self.task, "--split", "holdout")


def run(scenario: Scenario, data: Path, cycles: int) -> dict[str, Any]:
    """Improve until a cycle changes nothing, `cycles` times at most, and report each step."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder), scenario, data)
        started = time.perf_counter()
        measured = project.rate()
        steps: list[dict[str, Any]] = [{"after": measured["success_rate"], "change": scenario.prompt, "calls": 0}]
        for _ in range(cycles):
            cycle = project.ratchet("improve", scenario.name)
            step = {key: cycle[key] for key in ("category", "verdict", "status", "calls", "message")}
            if cycle["status"] == "awaiting_approval":
                shown = project.ratchet("show", cycle["cycle_id"])
                step["change"] = shown["document"]["proposal"]["rationale"]
                project.ratchet("approve", cycle["cycle_id"], "--reviewer", "benchmark")
            measured = project.rate()
            step |= {"after": measured["success_rate"], "low": measured["low"], "high": measured["high"]}
            steps.append(step)
            if cycle["status"] != "awaiting_approval":
                break
        return {
            "scenario": scenario.name,
            "held_out_cases": measured["n"],
            "before": steps[0]["after"],
            "after": steps[-1]["after"],
            "low": measured["low"],
            "high": measured["high"],
            "target": scenario.target,
            "reached": steps[-1]["after"] >= scenario.target,
            "seconds": round(time.perf_counter() - started, 1),
            "steps": steps,
        }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY / "benchmarks" / "data", help="folder of the data sets")
    parser.add_argument("--only", choices=[scenario.name for scenario in SCENARIOS])
    parser.add_argument("--cycles", type=int, default=1, help="cycles at most (default 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if not options.data.is_dir():
        sys.exit(f"the data folder {options.data} is not there; nothing was measured")
    results = [
        run(scenario, options.data, options.cycles) for scenario in SCENARIOS if options.only in (None, scenario.name)
    ]
    if options.json:
        print(json.dumps({"results": results}))
        return
    for result in results:
        print(f"\n{result['scenario']}: {result['held_out_cases']} held-out cases, {result['seconds']} s")
        for step in result["steps"]:
            cause = step.get("category") or "start"
            print(f"  {100 * step['after']:5.1f} %  {cause:<10} {step.get('change') or step.get('message', '')}")


if __name__ == "__main__":
    main()
