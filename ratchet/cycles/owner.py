"""Who works on a cycle: names of processes, whether the process of a name has ended, and letting a cycle go."""

import asyncio
import os
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ratchet.concurrency import end
from ratchet.engine import Engine

BEAT_SECONDS = 10.0
"""Between two beats of a process that works on a cycle."""
LEASE_SECONDS = 60.0
"""Without a beat for so long a process that cannot be looked up counts as gone."""
SKEW_SECONDS = 600.0
"""How far another machine's clock may be ahead. A beat from still later is from before a clock was set back."""


def process_name() -> str:
    """Name of this process: host, process id, and when it started (empty where the system does not tell). Blocks."""
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_start(pid) or ''}"


def process_is_gone(name: str, beat_at: str) -> bool:
    """Whether the process of that name has ended or let go of its cycle (an empty name). Blocks.

    On the machine that it ran on an end is certain. A process id that was given to another process since does not count
    as alive; that happens to the first one of a container that starts again. Nor does a dead process that nobody has
    waited for. Elsewhere, or where the machine has another name now, it is gone when its heart has not beaten for
    `LEASE_SECONDS`; `beat_at` is the time of the last beat.
    """
    if not name:
        return True
    host, pid, start = [*name.split(":"), "", ""][:3]
    if host != socket.gethostname() or not pid.isdecimal():
        return not _beats(beat_at)
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError, OverflowError):  # no process has a number that no process can have
        return True
    except PermissionError:
        pass
    found = _start(int(pid))
    return found == _DEAD or bool(start and found and found != start)


def _beats(beat_at: str) -> bool:
    """Whether a beat is a sign of life; a time that is none was written by nobody of ours."""
    try:
        silence = datetime.now(UTC) - datetime.fromisoformat(beat_at)
    except (ValueError, TypeError, OverflowError):
        return False
    return timedelta(seconds=-SKEW_SECONDS) <= silence <= timedelta(seconds=LEASE_SECONDS)


_DEAD = "dead"


def _start(pid: int) -> str | None:
    """Clock ticks from the boot to the start of a process (proc(5), stat, fields 3 and 22); None without /proc."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return _DEAD if fields[0] in "ZX" else fields[19]


@asynccontextmanager
async def at_work(engine: Engine, thread_id: str | None) -> AsyncIterator[None]:
    """While a node works on the open cycle of a thread its heart beats, so that others can tell it from a dead one."""
    beating = asyncio.create_task(_beat(engine, thread_id)) if thread_id else None
    try:
        yield
    finally:
        if beating is not None:
            await end(beating)


async def _beat(engine: Engine, thread_id: str) -> None:
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        await engine.store.cycles.beat(thread_id)


async def let_go(engine: Engine, thread_id: str | None) -> None:
    """Note that nobody works on the open cycle of a thread any more, so that the next `improve` goes on with it."""
    row = await engine.store.cycles.open_of_thread(thread_id) if thread_id else None
    if row is not None:
        await engine.store.cycles.record(row["id"], {"owner": ""})


def new_cycle_id() -> str:
    """An id for a cycle. An open cycle keeps its own when a node runs again."""
    return f"C-{uuid.uuid4().hex[:10]}"
