"""Where held-out cases come from beside the task's own: the table ``[holdout]`` of task.toml, every key optional."""

from typing import Annotated

from pydantic import Field

from ratchet.config.files import StrictModel

MOST_FROM_PRODUCTION = 500


class HoldoutConfig(StrictModel):
    """What rotates in. The rules for it are in `ratchet.gate.holdout`."""

    production: Annotated[int, Field(ge=0, le=MOST_FROM_PRODUCTION)] = 20
    """Inputs from production that take part in one decision of the gate at most; 0 turns it off."""
