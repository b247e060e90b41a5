"""What tests of the project in `conftest.py` share."""

from typing import Any


def silent(text: str = "", **_: Any) -> None:
    """No progress is wanted."""
