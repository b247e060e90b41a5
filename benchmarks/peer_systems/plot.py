"""Draws held-out score against calls, in an environment with matplotlib: ``plot.py RESULTS PICTURE``."""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt  # the backend has to be chosen first

COLOURS = ("tab:blue", "tab:orange", "tab:green", "tab:red")


def draw(results: Path, picture: Path) -> None:
    """One step line for each system and seed, with a dot where something better was found; the score holds from there
    on, dotted after the run's last call."""
    found = json.loads(results.read_text(encoding="utf-8"))
    names = list(dict.fromkeys(run["system"] for run in found["runs"]))
    edge = 1.02 * max(run["calls"] for run in found["runs"])
    figure, axes = plt.subplots(figsize=(7, 4.2))
    for run in found["runs"]:
        colour = COLOURS[names.index(run["system"]) % len(COLOURS)]
        calls = [point["calls"] for point in run["points"]]
        rates = [100 * point["test"] for point in run["points"]]
        label = run["system"] if run["seed"] == 0 else None
        axes.step([*calls, run["calls"]], [*rates, rates[-1]], where="post", color=colour, alpha=0.8, label=label)
        axes.plot(calls[1:], rates[1:], "o", color=colour, markersize=4)
        axes.plot([run["calls"], edge], [rates[-1]] * 2, ":", color=colour, alpha=0.8)
    axes.set_xlabel("model calls")
    axes.set_ylabel("test items right, %")
    seeds = len({run["seed"] for run in found["runs"]})
    axes.set_title(f"{found['task']}, seeds: {seeds}, budget of {found['budget']} calls")
    axes.set_xlim(0, edge)
    axes.set_ylim(-2, 102)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None} if picture.suffix == ".svg" else None)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
