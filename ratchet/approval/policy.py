"""A written policy under which a monitoring process may answer approval requests."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from ratchet.config.files import StrictModel, parse_toml, read_text, validate
from ratchet.counting import quantity
from ratchet.records import Decision, Proposal, Validation

ROUNDING = 1e-9
"""The difference of two rates is this exact: 6 of 10 less 4 of 10 comes out as a little below 0.2."""


class ApprovalPolicy(StrictModel):
    """What a change must show to be approved without a person."""

    name: str
    strategies: list[str]
    """Strategies whose changes may pass; of a change that several had a part in ("a + b"), all of them."""
    min_gain: Annotated[float, Field(ge=0, le=1)]
    """Rise of the held-out success rate, as a share."""
    max_lost_cases: Annotated[int, Field(ge=0)]
    max_prompt_chars: Annotated[int, Field(ge=1)]

    def decide(self, proposal: Proposal, validation: Validation) -> Decision | None:
        """An approval with its reason, or None: then a person has to decide."""
        if self.objections(proposal, validation):
            return None
        gain = validation.after.rate - validation.before.rate
        reason = (
            f"policy {self.name!r}: proven, gain {gain:.0%} >= {self.min_gain:.0%}, "
            f"{quantity(len(validation.losses), 'case')} lost <= {self.max_lost_cases}"
        )
        return Decision(type="approve", reviewer=f"policy:{self.name}", reason=reason)

    def objections(self, proposal: Proposal, validation: Validation) -> list[str]:
        """Why the policy does not approve; empty where it does."""
        gain = validation.after.rate - validation.before.rate
        found = {
            "the gate did not prove the change": not validation.proven,
            f"strategy {proposal.strategy!r} is not listed": not self._lists(proposal.strategy),
            f"gain {gain:.0%} is below {self.min_gain:.0%}": gain < self.min_gain - ROUNDING,
            f"{quantity(len(validation.losses), 'case')} lost": len(validation.losses) > self.max_lost_cases,
            "the prompt is too long": len(proposal.after.prompt) > self.max_prompt_chars,
        }
        return [reason for reason, holds in found.items() if holds]

    def _lists(self, strategy: str) -> bool:
        return set(strategy.split(" + ")) <= set(self.strategies)

    def as_json(self) -> dict[str, Any]:
        """The policy as it is audited."""
        return self.model_dump()


def load_policy(file: Path) -> ApprovalPolicy:
    """The policy in a TOML file.

    Raises:
        ConfigurationError: the file is wrong.
    """
    return validate(ApprovalPolicy, parse_toml(read_text(file), file), file)
