"""Reading files that people write: strict models, and one line that says which file, which key, what is expected."""

import json
import stat
import sys
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ratchet.errors import ConfigurationError


class StrictModel(BaseModel):
    """A model whose unknown keys are refused, whose numbers are finite, and whose values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], data: Any, file: Path | str) -> Model:
    """`data` as a `model`.

    Raises:
        ConfigurationError: naming `file`, the first wrong key and what is expected there.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigurationError(f"{file}: {first_problem(error)}") from error


def first_problem(error: ValidationError) -> str:
    """The first problem of a validation error in one line, with the number of further ones."""
    details = error.errors(include_url=False)
    first = details[0]
    key = _path(first["loc"])
    if first["type"] == "extra_forbidden":
        text = f"unknown key {key}"
    elif first["type"] == "missing":
        text = f"{key} is missing"
    else:
        got = repr(first["input"])
        text = f"{key}: {first['msg']} (got {got if len(got) < 80 else got[:77] + '...'})"
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return " ".join(text.split()) + more


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path or "the top level"


def read_text(file: Path) -> str:
    """The file's text; a UTF-8 mark at its head is left out.

    Raises:
        ConfigurationError: it is missing, a folder, a pipe, unreadable or not UTF-8.
    """
    try:
        if waits_for_others(file):
            raise ConfigurationError(f"{file}: is a pipe or a device; a file is needed")
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigurationError(f"{file}: no such file") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file}: {_decoding_problem(error)}") from error
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ConfigurationError(f"{str(file)[:80]!r}: is no path ({error})") from error


def waits_for_others(file: Path) -> bool:
    """Whether reading the file may wait for ever. What a shell hands over under ``/dev`` is meant to be read.

    Raises:
        OSError, ValueError: it cannot be looked at.
    """
    mode = file.stat().st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and file.parts[:2] != ("/", "dev")


def real_path(path: Path) -> Path:
    """`path` with all links followed.

    Raises:
        ConfigurationError: its links lead in a circle, it cannot be looked at, or it is no path at all.
    """
    try:
        found = path.resolve()
        found.stat()
    except (FileNotFoundError, NotADirectoryError):
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error).partition(" from ")[0]
        raise ConfigurationError(f"{str(path)[:200]!r}: cannot be followed ({why})") from error
    return found


def _decoding_problem(error: UnicodeDecodeError) -> str:
    line = error.object[: error.start].count(b"\n") + 1
    wide = error.object[:2] in (b"\xff\xfe", b"\xfe\xff")
    guess = "; it looks like UTF-16, save it as UTF-8" if wide else "; save it as UTF-8"
    return f"not UTF-8 text, line {line} (byte {error.start}){guess}"


def parse_json(text: str, file: Path | str) -> Any:
    """`text` parsed as JSON; duplicate keys are refused, a parser would silently keep the last of them.

    Raises:
        ConfigurationError: with line and column of the mistake.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        twice = [key for key in keys if keys.count(key) > 1]
        if twice:
            raise ConfigurationError(f"{file}: the key {twice[0]!r} stands there twice")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{file}: not JSON, line {error.lineno} column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise ConfigurationError(f"{file}: nested too deeply") from error
    except ValueError as error:
        raise _too_many_digits(file) from error


def _too_many_digits(file: Path | str) -> ConfigurationError:
    """Of what a parser takes, only the length of a number is refused after that."""
    return ConfigurationError(f"{file}: a whole number has more than {sys.get_int_max_str_digits()} digits")


def parse_toml(text: str, file: Path | str) -> dict[str, Any]:
    """`text` parsed as TOML.

    Raises:
        ConfigurationError: with the parser's own words on where the mistake is.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: not TOML: {error}") from error
    except RecursionError as error:
        raise ConfigurationError(f"{file}: nested too deeply") from error
    except ValueError as error:
        raise _too_many_digits(file) from error
