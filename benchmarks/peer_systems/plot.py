"""Draws held-out score against calls, in an environment with matplotlib: ``plot.py RESULTS PICTURE``."""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt  # the backend has to be chosen first

COLOURS = ("tab:blue", "tab:orange", "tab:green", "tab:red")


def draw(results: Path, picture: Path) -> None:
    """One step line for each system and seed; the score holds until something better is found, to the last call."""
    found = json.loads(results.read_text(encoding="utf-8"))
    names = list(dict.fromkeys(run["system"] for run in found["runs"]))
    figure, axes = plt.subplots(figsize=(7, 4.2))
    for run in found["runs"]:
        n = names.index(run["system"])
        calls = [point["calls"] for point in run["points"]] + [run["calls"]]
        rates = [100 * point["test"] for point in run["points"]]
        label = run["system"] if run["seed"] == 0 else None
        axes.step(calls, [*rates, rates[-1]], where="post", color=COLOURS[n % len(COLOURS)], alpha=0.8, label=label)
    axes.set_xlabel("model calls")
    axes.set_ylabel("test items right, %")
    axes.set_title(f"{found['task']}: {found['seeds']} seeds, budget of {found['budget']} calls")
    axes.set_ylim(-2, 102)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(picture)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
