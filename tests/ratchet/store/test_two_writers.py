"""Two processes that write the same database at once: nothing is lost, counted twice or decided twice."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postgres import IS_THERE, postgres_server

from ratchet.concurrency import run_main
from ratchet.gate import error_level
from ratchet.ledger.audit import Audit
from ratchet.store import Database, Store

ROOT = Path(__file__).parents[3]
ROUNDS = 20
WRITER = """
import asyncio, json, sys, time
from pathlib import Path
from functools import partial

from stored import proposal_row
from ratchet.errors import RatchetError
from ratchet.gate import error_level
from ratchet.ledger.audit import append
from ratchet.records import Decision
from ratchet.store import Database, Store
from ratchet.store.proposals import decision_document, take_decision
from ratchet.store.reviews import answer_item

url, name, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])


def meet(place):
    (folder / f"{name}-{place}").touch()
    while len(list(folder.glob(f"*-{place}"))) < 2:
        time.sleep(0.0005)


async def main():
    store = Store(Database(url))
    won = {"decisions": 0, "taken_over": 0, "answered": 0}
    for n in range(ROUNDS):
        meet(n)
        await store.gate_tests.level("t", f"{name}-{n}", error_level)
        meet(f"{n}a")
        await store.transact([partial(append, actor=name, action="a", task="t", subject=str(n))])
        await store.cycles.claim(f"C-{n}", f"task {n}", "c", "improve", f"thread {name}")
        meet(f"{n}b")
        await store.cycles.record("C", {f"{name}-{n}": n})
        meet(f"{n}c")
        won["taken_over"] += await store.cycles.take_over(f"C-{n}", name, lambda owner, beat: owner == "")
        await store.proposals.add([proposal_row(id=f"P-{n}")])
        mine = decision_document(Decision(type="approve", reviewer=name), "h")
        kept = []
        await store.transact([lambda c: kept.append(take_decision(c, f"P-{n}", "approved", mine))])
        won["decisions"] += kept[0] is mine
        await store.reviews.add(f"V-{n}", "t", None, "error", {})
        try:
            answer = partial(answer_item, review_id=f"V-{n}", answer={"reviewer": name}, status="dismissed")
            await store.transact([answer])
            won["answered"] += 1
        except RatchetError:
            pass
    print(json.dumps(won))


asyncio.run(main())
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    if not IS_THERE:
        pytest.skip("no PostgreSQL, or no driver for it")
    with postgres_server() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return (
        str(request.getfixturevalue("postgres")) if request.param == "postgresql" else f"sqlite:///{tmp_path}/a.sqlite"
    )


def write_at_once(url: str, folder: Path) -> list[dict[str, int]]:
    """What each of two processes has won that go in step, round by round."""
    code = WRITER.replace("ROUNDS", str(ROUNDS))
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", code, url, f"writer{n}", str(folder)], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={"PYTHONPATH": f"{ROOT}:{ROOT}/tests:{':'.join(sys.path)}", "PATH": ""},
        )
        for n in range(2)
    ]  # fmt: skip
    ended = [writer.communicate(timeout=100) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], ended
    return [json.loads(out) for out, _ in ended]


@pytest.mark.timeout(240)
def test_two_writers_lose_nothing_and_decide_once(url: str, tmp_path: Path) -> None:
    database = Database(url)
    store = Store(database)

    async def prepare() -> None:
        await store.cycles.claim("C", "t", "c", "improve", "thread")

    async def look() -> Any:
        row = await store.cycles.get("C")
        tests = [f"writer{writer}-{n}" for writer in range(2) for n in range(ROUNDS)]
        levels = [await store.gate_tests.level("t", test, error_level) for test in tests]
        return row, levels, await Audit(database).verify(), await Audit(database).rows()

    run_main(prepare())
    won = write_at_once(url, tmp_path)
    row, levels, problems, rows = run_main(look())
    database.close()

    assert sorted(levels, reverse=True) == [error_level(number, 0) for number in range(1, 2 * ROUNDS + 1)]
    assert (problems, len(rows)) == ([], 2 * ROUNDS)
    assert len(row["document"]) == 2 * ROUNDS
    assert {name: won[0][name] + won[1][name] for name in won[0]} == dict.fromkeys(won[0], ROUNDS)
