"""What a cycle asks of the models: charged to it, with how many of each role's requests got a usable reply."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ratchet.engine import Engine, cycle_meter
from ratchet.llm import Meter, metered
from ratchet.store.documents import RoleDocument


@asynccontextmanager
async def charged_to(engine: Engine, cycle_id: str) -> AsyncIterator[Meter]:
    """Charge all model calls made inside to the cycle, and note how its roles answered, also where an error ends it."""
    meter = await cycle_meter(engine, cycle_id)
    try:
        with metered(meter):
            yield meter
    finally:
        await _note_roles(engine, cycle_id, meter)


async def _note_roles(engine: Engine, cycle_id: str, meter: Meter) -> None:
    row = await engine.store.cycles.get(cycle_id)
    if row is None or not meter.roles:
        return
    roles = dict(row["document"].get("roles", {}))
    for role, usage in meter.roles.items():
        before = roles.get(role, RoleDocument(answered=0, failed=0, error=""))
        roles[role] = {
            "answered": before["answered"] + usage.answered,
            "failed": before["failed"] + usage.failed,
            "error": usage.error or before["error"],
        }
    await engine.store.cycles.record(cycle_id, {"roles": roles})
