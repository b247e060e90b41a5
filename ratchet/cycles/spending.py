"""What a cycle asks of the models: charged to it, with how many of each role's requests got a usable reply."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from ratchet.engine import Engine, cycle_meter
from ratchet.llm import Meter, metered, silence
from ratchet.store.documents import CycleDocument, RoleDocument


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


def silent_roles(document: CycleDocument) -> dict[str, str]:
    """For each role none of whose requests in a cycle got a usable reply, a line that says so."""
    roles: Mapping[str, RoleDocument] = document.get("roles", {})
    return {
        role: silence(role, told["failed"], told["error"])
        for role, told in roles.items()
        if told["failed"] and not told["answered"]
    }


def with_silent_roles(message: str, document: CycleDocument) -> str:
    """`message`, and the silent roles whose error it does not tell already."""
    lines = [line for role, line in silent_roles(document).items() if document["roles"][role]["error"] not in message]
    return "; ".join(part for part in (message, *lines) if part)
