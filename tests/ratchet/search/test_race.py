import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from ratchet.engine import Scored, Trial
from ratchet.errors import BudgetError
from ratchet.prompting import TaskPrompt
from ratchet.records import Candidate, CriterionResult, Evaluation
from ratchet.search import RaceResult, RaceTrials, race
from ratchet.search.entry import Entry

pytestmark = pytest.mark.anyio


def candidate(name: str) -> Candidate:
    return Candidate(strategy=name, rationale=name, prompt=TaskPrompt(prompt=name))


def scored(passed: bool, score: float | None = None, tokens: int = 1) -> Scored:
    criteria = [CriterionResult(name="c", outcome="passed" if passed else "failed", passed=passed, score=float(passed))]
    value = float(passed) if score is None else score
    return Scored("o", Evaluation(criteria=criteria, score=value, passed=passed, problems=[]), tokens, 0.0)


class Track:
    """Failures f0.. and training cases t0.., and how each prompt does on them. That is a string of 1 and 0 (then the
    last one again), failures first; ``+`` is a failed run with half the score."""

    def __init__(self, failures: int = 6, cases: int = 8, spare: int = 0, **results: str) -> None:
        """`spare` more failures and as many more cases follow after all others."""
        names = [("f", failures), ("t", cases), ("more-f", spare), ("more-t", spare)]
        parts = [[Trial(f"{name}{n}", None) for n in range(count)] for name, count in names]
        trials = [trial for part in parts for trial in part]
        self.trials = RaceTrials(*parts)
        self.places = {trial.input: place for place, trial in enumerate(trials)}
        self.results = {"in_force": "0", **results}
        self.runs: dict[str, list[str]] = {}
        self.tokens: dict[str, int] = {}
        self.most_at_once = 0
        self._at_once = 0

    async def run(self, candidate: Candidate, trials: Sequence[Trial]) -> list[Scored]:
        name = candidate.strategy
        self.runs.setdefault(name, []).extend(trial.input for trial in trials)
        self._at_once += 1
        self.most_at_once = max(self._at_once, self.most_at_once)
        await asyncio.sleep(0)
        self._at_once -= 1
        told = self.results[name]
        letters = [told[min(self.places[trial.input], len(told) - 1)] for trial in trials]
        return [
            scored(letter == "1", 0.5 if letter == "+" else None, tokens=self.tokens.get(name, 1)) for letter in letters
        ]

    async def race(self, **options: Any) -> RaceResult:
        entered = [candidate(name) for name in self.results if name not in ("in_force", "merged")]
        return await race(self.run, self.trials, Entry(candidate("in_force")), entered, **options)

    def paid(self) -> int:
        """Runs, but for those of the prompt in force on the failures, which are stored."""
        free = sum(text.startswith("f") for text in self.runs.get("in_force", []))
        return sum(map(len, self.runs.values())) - free


def winner(result: RaceResult) -> str | None:
    return result.best.candidate.strategy if result.best else None


def out(result: RaceResult) -> dict[str, str]:
    return {entry.candidate.strategy: entry.out for entry in result.entries}


async def test_race_is_won_by_who_passes_most() -> None:
    track = Track(worse="110000", good="111110", bad="0")
    result = await track.race()
    assert winner(result) == "good"
    assert [entry.candidate.strategy for entry in result.entries] == ["good", "worse", "bad"]
    assert out(result)["bad"] == "dropped at block 1 with 0 of 6: mends nothing, in_force has 0 of 6"
    assert out(result)["worse"] == "dropped at block 1 with 2 of 6: clearly behind the leader's 5 of 6"


async def test_race_between_equals_is_won_by_the_cheaper_one() -> None:
    track = Track(dear="1", cheap="1")
    track.tokens = {"dear": 9, "cheap": 2}
    assert winner(await track.race()) == "cheap"


async def test_race_asks_everyone_at_the_same_time() -> None:
    track = Track(a="1", b="1", c="1", d="1")
    await track.race()
    assert track.most_at_once == 5


async def test_race_ends_when_the_winner_is_clear() -> None:
    track = Track(good="1", bad="0")
    assert winner(await track.race()) == "good"
    assert {name: len(runs) for name, runs in track.runs.items()} == {"in_force": 10, "good": 10, "bad": 6}


async def test_who_cannot_catch_up_in_what_is_left_is_dropped() -> None:
    track = Track(cases=5, good="1", behind="11111111001")
    result = await track.race()
    assert out(result)["behind"] == "dropped at block 2 with 8 of 10: cannot catch up with the leader's 10 of 10"
    assert len(track.runs["good"]) == 10


async def test_race_goes_on_while_the_prompt_in_force_may_catch_up() -> None:
    track = Track(in_force="0000001", good="1100001111")
    assert winner(await track.race()) == "good"
    assert len(track.runs["good"]) == 14


async def test_prompt_in_force_is_not_run_when_it_cannot_catch_up() -> None:
    track = Track(one="11111101", two="11111101")
    await track.race()
    assert {name: len(runs) for name, runs in track.runs.items()} == {"in_force": 10, "one": 14, "two": 14}


async def test_race_of_those_without_fault_ends_after_a_block_of_training_cases() -> None:
    track = Track(long="1", short="1")
    track.tokens = {"long": 9, "short": 2}
    assert winner(await track.race()) == "short"
    assert {name: len(runs) for name, runs in track.runs.items()} == {"in_force": 10, "long": 10, "short": 10}


@pytest.mark.parametrize(
    ("long", "short", "tokens", "best"),
    [
        ("11111100000000", "11111000000000", 6, "short"),
        ("11111100000000", "11111000000000", 7, "long"),
        ("11111100000000", "11110000000000", 1, "long"),
        ("11110000000000", "11100000000000", 1, "long"),
        ("11111100000000", "00000000000000", 1, "long"),
    ],
)
async def test_much_cheaper_candidate_wins_where_only_luck_is_between(
    long: str, short: str, tokens: int, best: str
) -> None:
    track = Track(long=long, short=short)
    track.tokens = {"long": 10, "short": tokens}
    assert winner(await track.race()) == best


async def test_thorough_race_leaves_no_case_out() -> None:
    track = Track(one="1", two="1")
    result = await track.race(thorough=True)
    assert [len(entry.runs) for entry in result.entries] == [14, 14]


@pytest.mark.parametrize("told", ["0", "00000011111111"])
async def test_race_without_improvement_has_no_winner_and_costs_one_block(told: str) -> None:
    track = Track(in_force="00000011111111", one=told, two=told)
    assert winner(await track.race()) is None
    assert track.paid() == 12


async def test_race_has_no_winner_where_training_cases_get_worse() -> None:
    track = Track(in_force="00000011111111", trades="1111110")
    result = await track.race()
    assert winner(result) is None
    assert "cannot reach in_force any more, which has 8 of 14" in out(result)["trades"]


async def test_race_is_not_won_by_who_only_equals_the_prompt_in_force() -> None:
    assert winner(await Track(in_force="00000011", one="11000011000011").race()) is None


async def test_where_nobody_mends_anything_further_failures_are_met_before_all_are_dropped() -> None:
    track = Track(spare=6, late="000000" + "0" * 8 + "01", never="0")
    result = await track.race()
    assert winner(result) == "late"
    assert len(result.trials.failures) == 12
    assert out(result)["never"] == "dropped at block 2 with 0 of 12: mends nothing, in_force has 0 of 12"
    hopeless = Track(spare=6, one="0", two="0")
    assert winner(await hopeless.race()) is None
    assert sum(map(len, hopeless.runs.values())) - len(hopeless.runs["in_force"]) == 24


async def test_extra_time_of_many_is_as_short_as_their_first_block() -> None:
    track = Track(spare=6, **{f"c{n}": "0" for n in range(8)})
    result = await track.race()
    assert [trial.input for trial in result.trials.failures[6:]] == ["more-f0", "more-f1", "more-f2"]


async def test_spare_failure_that_is_a_training_case_is_met_once() -> None:
    track = Track(late="0000001")
    shared = track.trials._replace(spare_failures=track.trials.cases[:2])
    result = await race(track.run, shared, Entry(candidate("in_force")), [candidate("late")])
    assert [trial.input for trial in result.trials.failures[6:]] == ["t0", "t1"]
    assert [trial.input for trial in result.trials.cases] == [f"t{n}" for n in range(2, 8)]
    assert len(track.runs["late"]) == len(set(track.runs["late"]))


async def test_spare_failures_are_not_met_where_something_is_mended() -> None:
    track = Track(spare=6, one="100000" + "0" * 8, in_force="00000011111111")
    result = await track.race()
    assert winner(result) is None
    assert not any(text.startswith("more-f") for text in track.runs["one"])
    assert out(result)["one"].startswith("dropped at block 3 with 1 of 14: cannot reach in_force")


@pytest.mark.parametrize(("then", "best", "met"), [("1", "level", 4), ("0", None, 8)])
async def test_level_race_goes_on_with_further_training_cases(then: str, best: str | None, met: int) -> None:
    track = Track(spare=8, in_force="00000011" + "0" * 22, level="110000" + "0" * 8 + "0" * 8 + then * 8)
    result = await track.race()
    assert winner(result) == best
    assert len(result.trials.cases) == 8 + met
    assert sum(text.startswith("more-t") for text in track.runs["level"]) == met


async def test_promise_without_a_pass_wins_but_is_not_run_on_training_cases() -> None:
    track = Track(half="+", none="0")
    assert winner(await track.race()) == "half"
    assert track.paid() == 12


async def test_race_of_nobody_costs_nothing() -> None:
    track = Track()
    assert (winner(await track.race()), track.paid()) == (None, 0)


async def test_first_block_is_shorter_for_many_and_halves_before_it_goes_on() -> None:
    names = {f"c{n}": "1" * (n + 1) + "0" for n in range(4)}
    track = Track(**names, **{f"d{n}": "0" for n in range(4)})
    assert winner(await track.race()) == "c3"
    lengths = sorted(len(runs) for name, runs in track.runs.items() if name != "in_force")
    assert lengths[:4] == [3, 3, 3, 3]


async def test_nobody_is_dropped_for_nothing_while_failures_are_left_that_nobody_has_met() -> None:
    names = {f"c{n}": "0000010" if n == 7 else "0" for n in range(8)}
    track = Track(**names)
    assert winner(await track.race()) == "c7"


async def test_race_never_repeats_a_known_run_of_the_incumbent() -> None:
    track = Track(good="1")
    incumbent = Entry(candidate("in_force"), {f"f{n}": scored(False) for n in range(6)})
    await race(track.run, track.trials, incumbent, [candidate("good")])
    assert track.runs["in_force"] == [f"t{n}" for n in range(4)]


async def test_merged_candidate_joins_and_catches_up() -> None:
    track = Track(one="1110000", two="0001110", merged="1")
    asked = []

    async def join(parents: list[Candidate]) -> list[Candidate]:
        asked.append([parent.strategy for parent in parents])
        return [candidate("merged")]

    assert winner(await track.race(merge=join)) == "merged"
    assert asked == [["one", "two"]]
    assert track.runs["merged"][:6] == [f"f{n}" for n in range(6)]


async def test_next_pair_is_merged_where_the_first_cannot_be() -> None:
    track = Track(one="1110000", two="0001110", three="1001000")
    asked = []

    async def join(parents: list[Candidate]) -> list[Candidate]:
        asked.append(sorted(parent.strategy for parent in parents))
        return []

    await track.race(merge=join)
    assert asked == [["one", "two"], ["one", "three"], ["three", "two"]]
    alone = Track(one="1", two="0")
    asked.clear()
    await alone.race(merge=join)
    assert asked == []


async def test_budget_error_ends_the_race() -> None:
    async def run(candidate: Candidate, trials: Sequence[Trial]) -> list[Scored]:
        raise BudgetError("used up")

    with pytest.raises(BudgetError):
        await race(run, Track().trials, Entry(candidate("in_force")), [candidate("a"), candidate("b")])


def two_fixed_heats(track: Track) -> tuple[int, str | None]:
    """Cost and winner where all run the failures, and the best two that pass any the rest, the prompt in force too."""
    first = {name: told[:6].count("1") for name, told in track.results.items() if name != "in_force"}
    finalists = [name for name in sorted(first, key=lambda name: -first[name])[:2] if first[name]]
    best = max(finalists, key=lambda name: track.results[name].count("1"), default="in_force")
    beats = track.results[best].count("1") > track.results["in_force"].count("1")
    return 6 * len(first) + 8 * (1 + len(finalists)), best if beats else None


async def test_race_of_five_costs_less_than_two_fixed_heats_and_chooses_as_well() -> None:
    dice = random.Random(7)
    paid, before, passed, passed_before = 0, 0, 0, 0
    for _ in range(300):
        rates = [dice.choice((0.0, 0.1, 0.4, 0.7, 0.95)) for _ in range(5)]
        results = {
            f"c{n}": "".join("1" if dice.random() < rate else "0" for _ in range(14)) for n, rate in enumerate(rates)
        }
        in_force = "0" * 6 + "".join("1" if dice.random() < 0.4 else "0" for _ in range(8))
        track = Track(in_force=in_force, **results)
        best = winner(await track.race())
        cost, earlier = two_fixed_heats(track)
        paid, before = paid + track.paid(), before + cost
        passed += track.results[best or "in_force"].count("1")
        passed_before += track.results[earlier or "in_force"].count("1")
        assert best is None or track.results[best].count("1") > in_force.count("1")
    assert paid < 0.9 * before
    assert passed >= 0.99 * passed_before
