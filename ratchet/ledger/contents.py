"""What stands in the prompts file, seen from one task: its own components, and those of others."""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ratchet.config.files import read_text
from ratchet.errors import ConfigurationError, one_line
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


def is_gone(file: Path) -> bool:
    """Whether nothing is there that a person could have written: no file, or a folder in its place."""
    return file.is_dir() or not os.path.lexists(os.path.realpath(file))


def problem_of(file: Path) -> str | None:
    """Why the file cannot be read now: no such file, empty, half-written, not UTF-8, or locked. None where it can, also
    where it is JSON of a wrong shape, which is an error of its own."""
    try:
        text = read_text(file)
        if not text.strip():
            return f"{file}: empty"
        json.loads(text)
    except ConfigurationError as error:
        return str(error)
    except json.JSONDecodeError as error:
        return f"{file}: not JSON, line {error.lineno} column {error.colno}: {error.msg}"
    except (ValueError, RecursionError) as error:
        return f"{file}: no JSON that can be read ({one_line(error)[:100]})"
    return None


def lasting_problem(file: Path) -> str | None:
    """The same, unless the file is just being saved. Blocks, up to `SAVING_SECONDS`."""
    if problem_of(file) is None:
        return None
    time.sleep(SAVING_SECONDS)
    return problem_of(file)


def is_torn(data: bytes, new: str, olds: Iterable[str]) -> bool:
    """Whether `data` is what a crash leaves that ends the writing of `new` in place, over one of `olds`.

    Only such a file is known to be nobody else's.
    """
    text = new.encode()
    pairs = enumerate(zip(data, text, strict=False))
    written = next((place for place, (one, other) in pairs if one != other), min(len(data), len(text)))
    before = [old.encode() for old in olds]
    return data not in (text, *before) and any(data[written:] == old[written:] for old in before)


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
