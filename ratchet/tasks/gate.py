"""How held-out cases are put to the gate: the table ``[gate]`` of task.toml, every key optional."""

from typing import Any, Literal

from pydantic import field_validator

from ratchet.config.files import StrictModel

MOST_CASE_REPEATS = 9


class GateConfig(StrictModel):
    """How the gate measures."""

    repeats: int | Literal["auto"] = "auto"
    """Runs of each held-out case under either prompt; what ``auto`` takes is said in `ratchet.gate.repeats`."""

    @field_validator("repeats", mode="before")
    @classmethod
    def _is_auto_or_few(cls, value: Any) -> Any:
        if value != "auto" and (type(value) is not int or not 1 <= value <= MOST_CASE_REPEATS):
            raise ValueError(f"has to be 'auto' or a whole number from 1 to {MOST_CASE_REPEATS}")
        return value
