"""What stands in the prompts file, seen from one task: its own components, and those of others."""

import json
import time
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ratchet.config.files import read_text, waits_for_others
from ratchet.errors import ConfigurationError
from ratchet.prompting import TaskPrompt, parse_prompts, with_component
from ratchet.tasks import Task

Components = dict[str, Any]
"""Prompts by component name, in the form they have in the file."""
SAVING_SECONDS = 0.1
"""How long a file that looks broken is given to become whole: an editor may be in the middle of saving it."""


def own_components(text: str, task: Task, file: Path) -> Components:
    """The task's components in `text`.

    Raises:
        ConfigurationError: the text is of wrong shape or lacks a component.
    """
    prompts = parse_prompts(text, file)
    missing = [name for name in task.components if name not in prompts]
    if missing:
        raise ConfigurationError(f"{file}: no prompt for {missing[0]!r}, a component of the task {task.name}")
    return {name: prompts[name].as_json() for name in task.components}


def components_or_none(file: Path, task: Task) -> Components | None:
    """The task's components in the file, None where it cannot be read."""
    try:
        return own_components(read_text(file), task, file)
    except ConfigurationError:
        return None


def is_broken(file: Path) -> bool:
    """Whether the file is missing, a folder, a pipe, not UTF-8, empty or not JSON that can be read. One that cannot be
    opened just now is not."""
    try:
        if waits_for_others(file):
            return True
        json.loads(file.read_bytes().decode("utf-8-sig"))
    except (FileNotFoundError, IsADirectoryError, ValueError, RecursionError):
        return True
    except OSError:
        return False
    return False


def stays_broken(file: Path) -> bool:
    """Whether the file is broken and is not just being saved. Blocks, up to `SAVING_SECONDS`."""
    if not is_broken(file):
        return False
    time.sleep(SAVING_SECONDS)
    return is_broken(file)


def merge_components(wanted: str, components: Components, file: Path) -> str:
    """`wanted` to the byte where the components of others are the same in it and in today's file.

    Else today's text with only `components` replaced.
    """
    try:
        today = read_text(file)
        same = _others(today, components, file) == _others(wanted, components, file)
    except ConfigurationError:
        return wanted
    return wanted if same else patch(today, components)


def patch(text: str, components: Components) -> str:
    """`text` with those of `components` replaced that differ."""
    for name, value in components.items():
        if not _is_same(json.loads(text).get(name), value):
            text = with_component(text, name, TaskPrompt.model_validate(value))
    return text


def _is_same(written: Any, value: Any) -> bool:
    try:
        form = {"prompt": written} if isinstance(written, str) else written
        return bool(TaskPrompt.model_validate(form).as_json() == value)
    except ValidationError:
        return False


def _others(text: str, components: Components, file: Path) -> Components:
    return {name: prompt.as_json() for name, prompt in parse_prompts(text, file).items() if name not in components}
