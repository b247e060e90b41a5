import ast
from pathlib import Path

import pytest

from ratchet import errors
from ratchet.errors import ModelError, ModelUnavailableError, RatchetError

ROOT = Path(__file__).parents[2]
GROUNDS = ("ratchet", "nodes", "graph", "service")
"""Not `prompts`, which stands below: its error is a mistake in the package's own files, no user meets it."""
OURS = [value for value in vars(errors).values() if isinstance(value, type)]


def error_classes() -> set[tuple[str, str]]:
    """File and name of each class that is called or based on an error."""
    return {
        (str(file.relative_to(ROOT)), node.name)
        for ground in GROUNDS
        for file in (ROOT / ground).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        and any(name.endswith(("Error", "Exception")) for name in [node.name, *map(ast.unparse, node.bases)])
    }


def test_errors_all_stand_in_one_file() -> None:
    elsewhere = {("service/console.py", "InterruptError")}  # Ctrl-C with a message, which is no error
    assert {file for file, _ in error_classes() - elsewhere} == {"ratchet/errors.py"}
    assert {name for _, name in error_classes() - elsewhere} == {error.__name__ for error in OURS}


@pytest.mark.parametrize("error", OURS)
def test_error_is_one_that_the_command_tells_in_one_line(error: type[Exception]) -> None:
    assert issubclass(error, RatchetError)
    assert error.__doc__
    assert str(error("what is wrong")) == "what is wrong"


def test_model_unavailable_error_says_when_to_ask_again() -> None:
    error = ModelUnavailableError("busy", overloaded=True, retry_after=2.5)
    assert (error.overloaded, error.retry_after) == (True, 2.5)
    assert isinstance(error, ModelError)
    plain = ModelUnavailableError("down")
    assert (plain.overloaded, plain.retry_after) == (False, None)
