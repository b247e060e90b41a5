"""Who works on a cycle: names of processes, whether the process of a name has ended, and letting a cycle go."""

import os
import socket
import uuid
from pathlib import Path

from ratchet.engine import Engine


def process_name() -> str:
    """Name of this process: host, process id, and when it started (empty where the system does not tell). Blocks."""
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_start(pid) or ''}"


def process_is_gone(name: str) -> bool:
    """Whether the process of that name has certainly ended or let go of its cycle (an empty name). Blocks.

    An end is only noticed on the machine that the process ran on. A process id that was given to another process since,
    as happens to the first one of a container that starts again, and a dead process that nobody has waited for, do not
    count as alive.
    """
    if not name:
        return True
    host, pid, start = [*name.split(":"), "", ""][:3]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    found = _start(int(pid))
    return found == _DEAD or bool(start and found and found != start)


_DEAD = "dead"


def _start(pid: int) -> str | None:
    """Clock ticks from the boot to the start of a process (proc(5), stat, fields 3 and 22); None without /proc."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return _DEAD if fields[0] in "ZX" else fields[19]


async def let_go(engine: Engine, thread_id: str | None) -> None:
    """Note that nobody works on the open cycle of a thread any more, so that the next `improve` goes on with it."""
    row = await engine.store.cycles.open_of_thread(thread_id) if thread_id else None
    if row is not None:
        await engine.store.cycles.record(row["id"], {"owner": ""})


def new_cycle_id() -> str:
    """An id for a cycle. An open cycle keeps its own when a node runs again."""
    return f"C-{uuid.uuid4().hex[:10]}"
