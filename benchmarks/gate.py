"""How often the gate ships a change that helps, one that does nothing, and one that harms.

Pairs of pass/fail results are simulated with a known difference in success and a known share of cases on which old and
new differ. They are put through the shipped gate (`ratchet.gate`): looked at in blocks, stopped when the answer is
clear. Beside it stand the rules that other systems use, a fixed-size McNemar test, and one fixed bet. Two more are
a mixture of fixed bets, and one whose greater part is an all-or-nothing sign test at the last case. No model is called.

A second table has a noisy agent, whose single run says little about a case. It shows what running each case three times
proves that one run does not, and what as many runs on three times the cases prove. Fresh cases beat repeats where there
are enough of them, as repeats take out the noise of a run but not how cases differ. Repeats are for the cases one has.

Then whole improvement cycles are run with a scripted agent (``--cycles``, see `gate_cycles`), to see that what the gate
promises is what the loop keeps. That takes about a second for each cycle on an idle core; SQLite on a memory disk
(``TMPDIR=/dev/shm``) makes it faster.
"""

import argparse
import json
import math
import time
from collections.abc import Callable
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm

from benchmarks.gate_cycles import DIFFERING, HELD_OUT, whole_cycles
from ratchet.gate.control import ERROR, error_level
from ratchet.gate.eprocess import (
    AIM,
    FUTILE,
    LEAST_VARIANCE,
    MOST_BET,
    SOON,
    SOON_SHARE,
    VARIANCE,
    VARIANCE_CASES,
    Wealth,
)
from ratchet.gate.prove import looks
from ratchet.search.evidence import wealth

Array = np.ndarray[Any, Any]
SEED = 20


class Setting(NamedTuple):
    """What is simulated."""

    cases: int
    differing: float
    gain: float


Rule = Callable[[Array, Array, int], tuple[Array, Array]]
"""(wins, losses) after 1, 2, ... cases, each of shape (runs, cases), and the cases; gives (shipped, cases used)."""


def counts(rng: np.random.Generator, setting: Setting, runs: int) -> tuple[Array, Array]:
    """Cumulative wins and losses of `runs` simulated comparisons."""
    draw = rng.random((runs, setting.cases))
    win, differ = (setting.differing + setting.gain) / 2, setting.differing
    return np.cumsum(draw < win, axis=1), np.cumsum((draw >= win) & (draw < differ), axis=1)


def gate(error: float) -> Rule:
    """The shipped rule at one error level: blocks, futility, and stopping where the proof is out of reach."""

    def rule(wins: Array, losses: Array, n: int) -> tuple[Array, Array]:
        return shipped_rule(np.diff(wins - losses, axis=1, prepend=0).astype(float), error)

    return rule


def shipped_rule(differences: Array, error: float) -> tuple[Array, Array]:
    """The shipped rule over differences of shape (runs, cases); checked against the shipped test on the first runs."""
    n = differences.shape[1]
    value = wealth_along(differences, 1 / error)
    for run in range(min(5, len(differences))):
        shipped = Wealth(n, 1 / error)
        for place, difference in enumerate(differences[run]):
            shipped.add(float(difference))
            assert math.isclose(value[run, place], shipped.now, rel_tol=1e-6), "not what is shipped"
    left = n - np.arange(1, n + 1)
    proven = value >= 1 / error * (1 - 1e-12)
    given_up = (value <= FUTILE) | (value * (1 + MOST_BET) ** np.minimum(left, 1000) < 1 / error)
    looked = np.isin(np.arange(1, n + 1), looks(n))
    return stops(proven & looked, given_up & ~proven & looked, n)


def wealth_along(differences: Array, needed: float) -> Array:
    """The gate's wealth after 1, 2, ... cases (`ratchet.gate.eprocess`), of many runs at once."""
    runs, n = differences.shape
    plans = [(n, 1.0)] if n <= 2 * SOON else [(SOON, SOON_SHARE), (n, 1 - SOON_SHARE)]
    stakes = [np.full(runs, share) for _, share in plans]
    squares, along = np.zeros(runs), np.empty((runs, n))
    for seen in range(n):
        now = sum(stakes)
        variance = (VARIANCE * VARIANCE_CASES + squares) / (VARIANCE_CASES + seen)
        open_runs = ~((now >= needed) & (now > 1))
        grown = []
        for (cases, _), stake in zip(plans, stakes, strict=True):
            chance = np.clip(stake / (AIM * needed - (now - stake)), 1e-12, 1 / AIM)
            to_come = np.maximum(variance * (cases - seen), LEAST_VARIANCE)
            bet = np.minimum(MOST_BET, norm.pdf(norm.ppf(chance)) / (chance * np.sqrt(to_come)))
            grown.append(stake * (1 + np.where(open_runs, bet, 0.0) * differences[:, seen]))
        stakes = grown
        squares += differences[:, seen] ** 2
        along[:, seen] = sum(stakes)
    return along


def fixed_bets(error: float, sign_share: float = 0.0) -> Rule:
    """A mixture of fixed bets; with `sign_share`, so much of the wealth is an exact sign test at the last case, which
    pays all or nothing."""

    def rule(wins: Array, losses: Array, n: int) -> tuple[Array, Array]:
        seen = np.arange(1, n + 1)
        looked = np.isin(seen, looks(n))
        value = (1 - sign_share) * many(wealth, wins, losses)
        best = (1 - sign_share) * many(wealth, wins + (n - seen), losses) + (1 / error if sign_share else 0)
        if sign_share:
            p = many(binomial_tail, wins[:, -1:], (wins + losses)[:, -1:])[:, 0]
            value[:, -1] += np.where(p <= sign_share * error, 1 / error, 0.0)
        given_up = (best < 1 / error) | (value <= (0 if sign_share else FUTILE))
        return stops((value >= 1 / error) & looked, given_up & looked, n)

    return rule


def many(function: Callable[[int, int], float], first: Array, second: Array) -> Array:
    """`function` of each pair of counts; each different pair is computed once."""
    keys = first.astype(np.int64) * 100_000 + second
    different, places = np.unique(keys, return_inverse=True)
    values = np.array([function(int(key // 100_000), int(key % 100_000)) for key in different])
    return np.asarray(values[places].reshape(keys.shape))


def stops(proven: Array, given_up: Array, n: int) -> tuple[Array, Array]:
    """Whether the proof came first, and the cases seen until either; both inputs of shape (runs, n)."""
    first_proof = np.where(proven.any(axis=1), proven.argmax(axis=1), n)
    first_end = np.where(given_up.any(axis=1), given_up.argmax(axis=1), n)
    return first_proof < first_end, np.minimum(np.minimum(first_proof, first_end), n - 1) + 1


def single_bet(error: float) -> Rule:
    """One bet tuned to +10 points, min(0.6, 0.1 / running share of differing cases), looked at after every case."""

    def rule(wins: Array, losses: Array, n: int) -> tuple[Array, Array]:
        seen = np.arange(1, n + 1)
        before = np.concatenate([np.zeros((len(wins), 1)), (wins + losses)[:, :-1]], axis=1)
        share = (before + 20 * 0.3) / (seen - 1 + 20)
        step = np.diff(wins - losses, axis=1, prepend=0)
        value = np.cumprod(1 + np.minimum(0.6, 0.1 / share) * step, axis=1)
        return stops(value >= 1 / error, value <= FUTILE, n)

    return rule


def mcnemar(error: float) -> Rule:
    """The exact one-sided McNemar test over all cases."""

    def rule(wins: Array, losses: Array, n: int) -> tuple[Array, Array]:
        p = many(binomial_tail, wins[:, -1:], (wins + losses)[:, -1:])[:, 0]
        return p <= error, np.full(len(p), n)

    return rule


def binomial_tail(wins: int, n: int) -> float:
    """P(X >= wins) for X ~ Binomial(n, 1/2)."""
    return float(sum(math.comb(n, k) for k in range(wins, n + 1)) / 2**n)


def total_rule(slack: float) -> Rule:
    """Ship when the new total is higher (slack 0), or not more than `slack` points lower."""

    def rule(wins: Array, losses: Array, n: int) -> tuple[Array, Array]:
        ahead = (wins - losses)[:, -1]
        shipped = ahead > 0 if slack == 0 else ahead >= -slack * n
        return shipped, np.full(len(ahead), n)

    return rule


SIGN_SHARE = 0.82
RULES: dict[str, Rule] = {
    "the gate, e >= 20": gate(ERROR),
    "the gate, a task's first cycle": gate(error_level(1, 0)),
    "fixed bets, a task's first cycle": fixed_bets(error_level(1, 0)),
    "fixed bets and sign test, a task's first cycle": fixed_bets(error_level(1, 0), SIGN_SHARE),
    "one bet, e >= 20": single_bet(ERROR),
    "McNemar, one-sided 5 %": mcnemar(ERROR),
    "sum(new) > sum(old)": total_rule(0),
    "new >= old - 2 points": total_rule(0.02),
}
SETTINGS = [
    Setting(n, q, gain)
    for n, q in ((20, 0.75), (30, 0.4), (50, 0.4), (50, 0.2), (300, 0.2))
    for gain in (0.0, -0.05, 0.1, 0.2, 0.4, 0.7)
    if abs(gain) <= q
]


def single_changes(runs: int) -> list[dict[str, Any]]:
    """Every rule in every setting."""
    rows = []
    for number, setting in enumerate(SETTINGS):
        wins, losses = counts(np.random.default_rng(SEED + number), setting, runs)
        for name, rule in RULES.items():
            shipped, used = rule(wins, losses, setting.cases)
            rows.append({"rule": name, **setting._asdict(), "shipped": shipped.mean(), "mean_cases": used.mean()})
    return rows


def best_of(candidates: int, runs: int) -> dict[str, Any]:
    """The best of several null candidates by 14 training cases meets 50 held-out ones: the choice must not leak."""
    rng = np.random.default_rng(SEED)
    shipped = []
    for _ in range(runs // 10):
        training = rng.random((candidates, 14)) < 0.5
        chosen = int(training.sum(axis=1).argmax())
        wins, losses = counts(rng, Setting(50, 0.4, 0.0), candidates)
        shipped.append(bool(gate(error_level(1, 0))(wins[[chosen]], losses[[chosen]], 50)[0][0]))
    return {"candidates": candidates, "shipped": float(np.mean(shipped)), "runs": len(shipped)}


def ten_cycles(runs: int, setting: Setting) -> dict[str, Any]:
    """Ten null cycles of one task in a row, each at the level that error control allots."""
    rng = np.random.default_rng(SEED)
    ever = 0
    for _ in range(runs // 10):
        discoveries = 0
        wins, losses = counts(rng, setting, 10)
        for cycle in range(10):
            rule = gate(error_level(cycle + 1, discoveries))
            discoveries += bool(rule(wins[[cycle]], losses[[cycle]], setting.cases)[0][0])
        ever += discoveries > 0
    return {"cycles": 10, "any_shipped": ever / (runs // 10), "runs": runs // 10}


def fixed_size(power: float, differing: float, gain: float) -> int:
    """Cases that the one-sided 5 % McNemar test needs for that power; Connor (1987)."""
    normal = NormalDist()
    a, b = normal.inv_cdf(1 - ERROR), normal.inv_cdf(power)
    return math.ceil((a * math.sqrt(differing) + b * math.sqrt(differing - gain**2)) ** 2 / gain**2)


class Noise(NamedTuple):
    """A noisy agent at the gate: so many cases, each run `repeats` times under either prompt."""

    cases: int
    repeats: int
    gain: float


CHANCES = (0.2, 0.8)
"""A case's chance to pass in one run under the old prompt: uniform in between, so that one run in five or more goes
against what the case does mostly."""
SPREAD = 0.15
"""The change moves the chance of each case by the gain and by up to so much more or less, another amount each."""
NOISY = [
    Noise(cases, repeats, gain)
    for gain in (0.0, 0.1, 0.2)
    for cases, repeats in ((20, 1), (20, 3), (50, 1), (50, 3), (150, 1), (150, 3))
]


def noisy_differences(rng: np.random.Generator, noise: Noise, runs: int) -> Array:
    """Differences of the success rates of each case, of shape (runs, cases)."""
    shape = (runs, noise.cases)
    old = rng.uniform(*CHANCES, shape)
    new = np.clip(old + noise.gain + rng.uniform(-SPREAD, SPREAD, shape), 0, 1)
    passed_old, passed_new = (rng.binomial(noise.repeats, chance) for chance in (old, new))
    return np.asarray((passed_new - passed_old) / noise.repeats)


def noisy_agent(runs: int) -> list[dict[str, Any]]:
    """The shipped rule, e >= 20, over cases whose single runs are a toss-up."""
    rows = []
    for number, noise in enumerate(NOISY):
        differences = noisy_differences(np.random.default_rng(SEED + 100 + number), noise, runs)
        shipped, used = shipped_rule(differences, ERROR)
        calls = 2 * noise.repeats * used.mean()
        first = shipped_rule(differences, error_level(1, 0))[0].mean()
        found = {"shipped": shipped.mean(), "first_cycle": first, "mean_cases": used.mean(), "mean_runs": calls}
        rows.append({**noise._asdict(), **found})
    return rows


def simulate(cycle: dict[str, Any], runs: int) -> float:
    """The share of a whole-cycle scenario that ships by simulation, of cycles that all reach the gate."""
    setting = Setting(HELD_OUT, DIFFERING, cycle["gain"])
    if cycle["in_a_row"] > 1:
        return float(ten_cycles(runs, setting)["any_shipped"])
    wins, losses = counts(np.random.default_rng(SEED), setting, runs)
    return float(gate(error_level(1, 0))(wins, losses, HELD_OUT)[0].mean())


def measure(runs: int, cycles: int, in_a_row: int) -> dict[str, Any]:
    """All of it."""
    started = time.perf_counter()
    rows = single_changes(runs)
    found = next(
        row for row in rows if row["rule"] == "the gate, e >= 20" and row["cases"] == 300 and row["gain"] == 0.1
    )
    needed = fixed_size(found["shipped"], 0.2, 0.1)
    return {
        "rows": rows,
        "best_of": best_of(5, runs),
        "ten_cycles": ten_cycles(runs, Setting(100, 0.3, 0.0)),
        "noisy_agent": noisy_agent(runs),
        "fixed_size": {"power": found["shipped"], "cases": needed, "saved": 1 - found["mean_cases"] / needed},
        "whole_cycles": [found | {"simulated": simulate(found, runs)} for found in whole_cycles(cycles, in_a_row)],
        "runs": runs,
        "seconds": round(time.perf_counter() - started, 1),
    }


def table(result: dict[str, Any]) -> str:
    """A Markdown table: share shipped, and mean cases where a rule stops early."""
    lines = [
        "| cases at most, share differing | rule | " + " | ".join(["null", "-5", "+10", "+20", "+40", "+70"]) + " |"
    ]
    lines.append("|" + "---|" * 8)
    for n, q in dict.fromkeys((setting.cases, setting.differing) for setting in SETTINGS):
        for rule in RULES:
            cells = []
            for gain in (0.0, -0.05, 0.1, 0.2, 0.4, 0.7):
                row = [
                    r
                    for r in result["rows"]
                    if (r["rule"], r["cases"], r["differing"], r["gain"]) == (rule, n, q, gain)
                ]
                cells.append(f"{row[0]['shipped']:.3f} / {row[0]['mean_cases']:.0f}" if row else "")
            lines.append(f"| {n}, {q:g} | {rule} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def noisy_table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table: share proven, mean runs of the agent, and the share proven in a task's first cycle."""
    gains = dict.fromkeys(row["gain"] for row in rows)
    lines = ["", f"noisy agent, a case passes with a chance of {CHANCES[0]:g} to {CHANCES[1]:g}, e >= 20:"]
    lines.append("| cases at most | runs of each | " + " | ".join(f"{100 * gain:+.0f}" for gain in gains) + " |")
    lines.append("|" + "---|" * (2 + len(gains)))
    for cases, repeats in dict.fromkeys((row["cases"], row["repeats"]) for row in rows):
        mine = [row for row in rows if (row["cases"], row["repeats"]) == (cases, repeats)]
        cells = [f"{row['shipped']:.3f} / {row['mean_runs']:.0f} runs / {row['first_cycle']:.3f}" for row in mine]
        lines.append(f"| {cases} | {repeats} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def cycles_table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table of the whole cycles, shares with their 95 % intervals."""
    lines = [
        "",
        f"whole cycles, {HELD_OUT} held-out cases, {DIFFERING:.0%} of them differing:",
        "| candidates | runs | cycles | cause: prompt | at the gate | shipped, of all runs | of those at the gate "
        "| simulated | held-out cases looked at | ms a cycle |",
        "|" + "---|" * 10,
    ]
    for row in rows:
        shares = [
            f"{row[share]:.3f} ({row[low]:.3f}-{row[high]:.3f})"
            for share, low, high in (("share", "low", "high"), ("share_of_tested", "tested_low", "tested_high"))
        ]
        counts = [row[name] for name in ("scenario", "runs", "cycles", "diagnosed", "tested")]
        rest = [f"{row['simulated']:.3f}", f"{row['mean_cases']:.0f}", row["ms_per_cycle"]]
        lines.append("| " + " | ".join(str(cell) for cell in [*counts, *shares, *rest]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--cycles", type=int, default=200, help="whole null cycles (default 200), fewer of the others")
    parser.add_argument("--in-a-row", type=int, default=10, help="tasks with ten null cycles in a row (default 10)")
    options = parser.parse_args()
    result = measure(options.runs, options.cycles, options.in_a_row)
    if options.json:
        print(json.dumps(result, default=float))
        return
    print(table(result))
    print(noisy_table(result["noisy_agent"]))
    print(f"\nbest of 5 null candidates shipped: {result['best_of']['shipped']:.3f}")
    print(f"any of 10 null cycles shipped: {result['ten_cycles']['any_shipped']:.3f}")
    fixed = result["fixed_size"]
    print(f"a fixed-size test of power {fixed['power']:.3f} needs {fixed['cases']} cases; saved: {fixed['saved']:.0%}")
    if result["whole_cycles"]:
        print(cycles_table(result["whole_cycles"]))


if __name__ == "__main__":
    main()
