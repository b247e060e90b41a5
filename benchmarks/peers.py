"""Ratchet beside gepa and DSPy: model calls, seconds, and the score on items that no optimiser has seen.

`--task tickets` (default) is measured against a simulated model of 50 ms behind an OpenAI-compatible server; the rules
of that model are in `peer_systems/simulated.py`. Every system gets the same 20 training and 20 validation items, the
same naive prompt and the same number of calls in flight; 40 further items are the test. A quarter is right at the
start; with `--kinds 4` three things are to be learnt, with `--kinds 8` six. Calls and "seconds", from the first request
to the last reply, are those that the server saw while a system optimised. "Idle" is when nothing was under way, "waves"
is how often it went from idle to busy. "Inside" is what the optimiser's own call took, and "process" the whole process
with its imports. Making environments is never counted. Each seed permutes the items and is handed to the peers; the
table shows medians.

`--task squad` and `--task banking77` run Ratchet, gepa and DSPy's random search with the embedded model, with an equal
budget and several seeds, and draw the test score against calls. With a small machine that takes hours: each run is
written down as it ends, and a call that is repeated goes on from there.

The peers are installed by name into environments of their own under `--envs`; nothing of them is imported here.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.peer_systems.curves import Curves, curves, plot
from benchmarks.peer_systems.environments import python_of
from benchmarks.peer_systems.jobs import Job, banking77_job, permute, squad_job, tickets_job
from benchmarks.peer_systems.server import CountingServer, passing_on, simulate
from benchmarks.peer_systems.systems import SYSTEMS, Measured, measure

REPOSITORY = Path(__file__).parents[1]
COLUMNS = "system | calls | in flight | waves | seconds | idle | inside | process | test before -> after | gate"


def table(rows: list[Measured]) -> str:
    """A Markdown table of the medians over the seeds; calls with their range."""
    lines = [f"| {COLUMNS} |", "|" + "---|" * (COLUMNS.count("|") + 1)]
    for name in dict.fromkeys(row.system for row in rows):
        runs = [row for row in rows if row.system == name]
        counts = [run.counted for run in runs]
        calls = [count.calls for count in counts]
        cells = [name, f"{median(calls):g} ({min(calls)}-{max(calls)})"]
        cells += [f"{median(values):g}" for values in ([c.in_flight for c in counts], [c.waves for c in counts])]
        cells += [f"{median(values):.1f}" for values in ([c.seconds for c in counts], [c.idle for c in counts])]
        cells += [f"{median([run.inside_seconds for run in runs]):.1f}"]
        cells += [f"{median([run.process_seconds for run in runs]):.1f}"]
        cells += [f"{median([run.before for run in runs]):g} -> {median([run.after for run in runs]):g}"]
        lines.append("| " + " | ".join([*cells, "yes" if runs[0].gate else "no"]) + " |")
    return "\n".join(lines)


def steps(rows: list[Measured]) -> str:
    """What each run of ours ended with, and where its calls and seconds went."""
    return "\n".join(f"seed {row.seed}: {line}" for row in rows for line in _course(row.detail))


def _course(detail: dict[str, Any]) -> list[str]:
    cycles = [f"{cycle['category']}, {cycle['status']}: {cycle['message']}" for cycle in detail.get("cycles", [])]
    return cycles + [
        f"{step['calls']:>4} calls, {step['in_flight']:>2} in flight, {step['waves']:>2} waves,"
        f" {step['seconds']:5.2f} s  {step['step']}"
        for step in detail.get("steps", [])
    ]


def compare(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Every system (or those asked for) on the simulated task, once for each seed."""
    chosen = [system for system in SYSTEMS if not options.only or system.name in options.only]
    for group in {system.group for system in chosen if system.group}:
        python_of(group, options.envs)
    job = {**tickets_job(options.kinds), "concurrency": options.concurrency or 32, "cycles": options.cycles}
    server = CountingServer(simulate)
    rows = []
    try:
        for seed in range(options.seeds):
            for system in chosen:
                print(f"seed {seed}: {system.label}", file=sys.stderr)
                rows.append(measure(system, permute(job, seed), server, folder / f"{seed}-{system.name}", options.envs))
    finally:
        server.close()
    if not options.json:
        print(f"{table(rows)}\n\n{steps(rows)}")
    return {"task": "tickets", "kinds": options.kinds, "seeds": options.seeds, "rows": [row.as_json() for row in rows]}


def compare_curves(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The curves of one task; writes the points, after each run, and the picture. An interrupted call can be repeated:
    runs that stand in the points file are kept."""
    job = {**_job(options), "concurrency": options.concurrency or (32 if options.simulated else 4)}
    options.output.mkdir(parents=True, exist_ok=True)
    points = options.output / f"peers_{options.task}.json"
    wanted = Curves(options.task, options.seeds, options.budget)
    server = CountingServer(simulate if options.simulated else _serve_embedded())
    try:
        runs = curves(job, wanted, server, folder, options.envs, points)
    finally:
        server.close()
    plot(points, points.with_suffix(".svg"), options.envs)
    if not options.json:
        for run in runs:
            trials = ", ".join(f"{point['calls']}: {point['test']:.2f}" for point in run["points"])
            print(f"seed {run['seed']}  {run['system']:<30} {run['calls']:>4} calls  {trials}")
    return {**wanted._asdict(), "runs": runs}


def _job(options: argparse.Namespace) -> Job:
    if options.task == "tickets":
        return tickets_job(options.kinds)
    return squad_job(options.data) if options.task == "squad" else banking77_job(options.data)


def _serve_embedded() -> Any:
    """The embedded model, started here once, behind the counting server."""
    from ratchet.llm.embedded import embedded_endpoint

    endpoint = embedded_endpoint()
    return passing_on(endpoint.base_url, endpoint.api_key)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=("tickets", "squad", "banking77"), default="tickets")
    parser.add_argument("--kinds", type=int, choices=(4, 8), default=4, help="tickets: of how many kinds")
    parser.add_argument("--cycles", type=int, default=1, help="tickets: cycles of Ratchet at most (default 1)")
    parser.add_argument("--only", action="append", choices=[system.name for system in SYSTEMS], help="tickets: these")
    parser.add_argument(
        "--envs", type=Path, default=REPOSITORY / "benchmarks" / ".envs", help="the peers' environments"
    )
    parser.add_argument("--concurrency", type=int, help="calls in flight at most (32; 4 with the embedded model)")
    parser.add_argument("--curves", action="store_true", help="tickets: curves as well, with the simulated model")
    parser.add_argument(
        "--simulated", action="store_true", help="curves with the simulated model: a trial of the script"
    )
    parser.add_argument("--data", type=Path, default=REPOSITORY / "benchmarks" / "data", help="folder of the data sets")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", type=int, default=300, help="model calls of one optimisation, for the curves")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs", help="where points and picture are written")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    options.envs = options.envs.absolute()
    if options.task != "tickets" and not options.data.is_dir():
        sys.exit(f"the data folder {options.data} is not there; nothing was measured")
    options.simulated = options.simulated or options.task == "tickets"
    with tempfile.TemporaryDirectory() as folder:
        curved = options.curves or options.task != "tickets"
        result = compare_curves(options, Path(folder)) if curved else compare(options, Path(folder))
    if options.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
