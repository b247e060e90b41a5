"""What a changed prompt may cost: the table ``[limits]`` of task.toml, every key optional."""

from typing import Annotated

from pydantic import Field

from ratchet.config.files import StrictModel

Positive = Annotated[float, Field(gt=0)]
Factor = Annotated[float, Field(ge=1)]


class Limits(StrictModel):
    """Bounds that veto a change. What they are compared with, and the small amounts that no factor forbids, is said in
    `ratchet.gate.bounds`."""

    prompt_chars: Annotated[int, Field(ge=1)] = 6000
    """Characters of a component's prompt text, examples not counted."""
    tokens_factor: Factor = 4.0
    """Mean tokens per case, read and written, against those of the prompt in force."""
    seconds_factor: Factor = 5.0
    """Median seconds per case against those of the prompt in force."""
    tokens: Positive | None = None
    """Mean tokens per case, whatever the prompt in force needs."""
    seconds: Positive | None = None
    """Median seconds per case, whatever the prompt in force needs."""
