"""What commands work with: an open session, the tasks that are meant, and the config of a thread."""

from typing import Any

from graph import Session, open_session
from ratchet.concurrency import to_thread
from ratchet.errors import ConfigurationError
from ratchet.tasks import task_names

__all__ = ["Session", "chosen_tasks", "open_session", "thread_config"]


def thread_config(thread_id: str) -> dict[str, Any]:
    """The config that runs a graph in a thread."""
    return {"configurable": {"thread_id": thread_id}}


async def chosen_tasks(session: Session, task: str | None, every: bool) -> list[str]:
    """The task that was named, or every one.

    Raises:
        ConfigurationError: neither or both were asked for, or there is no task at all.
    """
    if (task is None) != every:
        raise ConfigurationError("name a task, or give --all for every task; not both")
    if task is not None:
        return [task]
    folder = session.engine.settings.tasks_dir
    names = await to_thread(task_names, folder)
    if not names:
        raise ConfigurationError(f"no task in {folder}/; `ratchet init DIR` makes an example")
    return names
