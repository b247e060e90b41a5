import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ratchet.cycles import owner
from ratchet.cycles.owner import LEASE_SECONDS, SKEW_SECONDS, process_is_gone, process_name
from ratchet.engine import Engine
from ratchet.store import now


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing until its input ends."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def name_of(pid: int, start: str = "") -> str:
    return f"{process_name().split(':')[0]}:{pid}:{start}"


def test_process_at_work_is_not_gone(other: subprocess.Popen[bytes]) -> None:
    assert not process_is_gone(process_name(), now())
    assert not process_is_gone(name_of(other.pid), now())
    assert not process_is_gone(name_of(other.pid).rstrip(":"), now())


def test_process_that_was_killed_is_gone(other: subprocess.Popen[bytes]) -> None:
    other.kill()
    other.wait()
    assert process_is_gone(name_of(other.pid), now())


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="the system has no /proc")
def test_dead_process_that_nobody_waited_for_is_gone(other: subprocess.Popen[bytes]) -> None:
    other.kill()
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    os.kill(other.pid, 0)
    assert process_is_gone(name_of(other.pid), now())


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="the system has no /proc")
def test_process_whose_id_another_one_has_now_is_gone() -> None:
    host, pid, start = process_name().split(":")
    assert process_is_gone(f"{host}:{pid}:{int(start) - 1}", now())


@pytest.mark.parametrize(("name", "gone"), [("", True), ("elsewhere:1:2", False), ("elsewhere:1", False), ("x", False)])
def test_process_of_another_machine_is_not_gone_while_its_heart_beats(name: str, gone: bool) -> None:
    assert process_is_gone(name, now()) is gone


@pytest.mark.parametrize("name", ["elsewhere:1:2", "a container that has another name now:1:2", "x"])
def test_process_of_another_machine_is_gone_when_its_heart_has_stopped(name: str) -> None:
    assert process_is_gone(name, ago(LEASE_SECONDS + 1))
    assert not process_is_gone(name, ago(LEASE_SECONDS - 5))


@pytest.mark.parametrize("ahead", [SKEW_SECONDS + 60, 3600, 24 * 3600, 10 * 365 * 24 * 3600])
def test_beat_from_before_the_clock_was_set_back_is_no_sign_of_life(ahead: float) -> None:
    assert process_is_gone("elsewhere:1:2", ago(-ahead))


@pytest.mark.parametrize("ahead", [1, 120, SKEW_SECONDS - 10])
def test_clock_of_another_machine_may_be_ahead(ahead: float) -> None:
    assert not process_is_gone("elsewhere:1:2", ago(-ahead))


@pytest.mark.parametrize("beat_at", ["", "yesterday", "2026-11-28", "9999-12-31T23:59:59", "2026-11-28T10:00:00+99:00"])
def test_beat_that_is_no_time_is_no_sign_of_life(beat_at: str) -> None:
    assert process_is_gone("elsewhere:1:2", beat_at)


@pytest.mark.parametrize("pid", ["9" * 30, "9" * 5000, str(2**31), "²"])
def test_number_that_no_process_can_have_is_gone(pid: str) -> None:
    assert process_is_gone(f"{process_name().split(':')[0]}:{pid}:1", ago(LEASE_SECONDS + 1))


def test_process_at_work_here_is_not_gone_however_late_its_beat(other: subprocess.Popen[bytes]) -> None:
    assert not process_is_gone(name_of(other.pid), ago(3600))


@pytest.mark.anyio
async def test_heart_beats_while_a_node_works(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, "BEAT_SECONDS", 0.01)
    row = await engine.store.cycles.claim("C", "shop", "shop", "agent", "T")
    async with owner.at_work(engine, "T"):
        await asyncio.sleep(0.3)
    await asyncio.sleep(0.3)  # the beat that was under way is written to its end
    beaten = await engine.store.cycles.get("C") or {}
    assert beaten["beat_at"] > row["beat_at"]
    await asyncio.sleep(0.1)
    assert (await engine.store.cycles.get("C") or {})["beat_at"] == beaten["beat_at"]
