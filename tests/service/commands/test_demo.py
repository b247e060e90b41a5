"""`ratchet demo` on its own task, with a scripted model that reads what is put before it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command import Done

from ratchet.approval import load_policy
from ratchet.proposers import CONTEXT, WORDING
from service.commands.demo import POLICY


@pytest.fixture
def project(faq: Path) -> Path:
    return faq


def test_the_demo_improves_its_own_copy_and_can_be_repeated(project: Path, ratchet: Callable[..., Done]) -> None:
    before = {file: file.read_bytes() for file in project.rglob("*") if file.is_file()}

    for _ in range(2):
        done = ratchet("demo", "--json")
        assert done.code == 0
        (cycle,) = done.json["cycles"]
        assert (done.json["before"], cycle["status"], cycle["version"]) == (0, "applied", 2)
        assert done.json["after"] > 0.5
        assert done.json["calls"] > done.json["n"]
        assert {file: file.read_bytes() for file in before} == before


def test_the_demo_goes_on_until_a_cycle_changes_nothing(ratchet: Callable[..., Done]) -> None:
    done = ratchet("demo", "--cycles", "4", "--json")

    statuses = [cycle["status"] for cycle in done.json["cycles"]]
    assert (statuses[0], len(statuses)) == ("applied", 2)
    assert statuses[1] != "applied"
    assert done.json["after"] == done.json["cycles"][0]["held_out"]["rate"]


def test_the_demo_shows_a_table_and_how_to_see_more(ratchet: Callable[..., Done]) -> None:
    shown = ratchet("demo").out

    assert "the naive prompt" in shown
    assert "held-out cases" in shown
    assert "--cycles 3" in shown


@pytest.mark.parametrize("cycles", ["0", "-1", "many"])
def test_a_wrong_number_of_cycles_is_one_line(ratchet: Callable[..., Done], cycles: str) -> None:
    done = ratchet("demo", "--cycles", cycles)

    assert done.code == 2
    assert "cycles" in done.err


def test_the_policy_lists_every_strategy_that_a_cycle_may_try() -> None:
    policy = load_policy(POLICY)

    assert {proposer.name for proposer in (*WORDING, *CONTEXT)} <= set(policy.strategies)


def test_the_demo_says_under_which_policy_changes_are_approved(project: Path, ratchet: Callable[..., Done]) -> None:
    mine = project / "mine.toml"
    mine.write_text(POLICY.read_text().replace("min_gain = 0.05", "min_gain = 0.999").replace('"demo"', '"strict"'))

    shown = ratchet("demo", "--policy", "mine.toml").out

    assert "name strict" in " ".join(shown.split())
    assert "gain" in shown
    assert "(rejected)" in " ".join(shown.split())


@pytest.mark.parametrize(("name", "text"), [("gone.toml", None), ("wrong.toml", "min_gain = 2"), ("bad.toml", "x = ")])
def test_a_wrong_policy_file_is_one_line_and_nothing_is_run(
    project: Path, ratchet: Callable[..., Done], name: str, text: str | None
) -> None:
    if text is not None:
        (project / name).write_text(text)

    done = ratchet("demo", "--policy", name)

    assert (done.code, done.out, name in done.err) == (2, "", True)
    assert len(done.err.splitlines()) == 1
    assert not (project / ".ratchet" / "demo").exists()


@pytest.mark.parametrize("name", ["tasks", "behavior_rules.json"])
def test_the_demo_away_from_its_files_says_where_to_run_it(
    project: Path, ratchet: Callable[..., Done], name: str
) -> None:
    (project / name).rename(project / "elsewhere")

    done = ratchet("demo")

    assert done.code == 2
    assert name in done.err
    assert len(done.err.splitlines()) == 1
