"""What tests of the project in `conftest.py` share."""

from typing import Any

from service.session import Session


def silent(text: str = "", **_: Any) -> None:
    """No progress is wanted."""


async def failures(session: Session, status: str | None = None) -> list[dict[str, Any]]:
    """The stored failures of its task, the oldest first."""
    return await session.engine.store.failures.of_task("desk", status)
