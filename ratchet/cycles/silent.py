"""What a cycle's document says of roles that never answered."""

from collections.abc import Mapping

from ratchet.llm import silence
from ratchet.store.documents import CycleDocument, RoleDocument


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
