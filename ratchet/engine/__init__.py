"""Running prompts: everything opened once, tasks ready to be run, and inputs tried on them."""

from ratchet.engine.engine import Engine, cycle_meter, heldout_inputs
from ratchet.engine.harness import Harness
from ratchet.engine.materials import SAME_RUN
from ratchet.engine.tally import Tally, criterion_rates, reasons_unscored, tally
from ratchet.engine.trial import Problem, Scored, Trial, as_trials, score_all, score_one, try_prompt, with_prompt
from ratchet.engine.workbench import Workbench, shown_cases

__all__ = [
    "SAME_RUN",
    "Engine",
    "Harness",
    "Problem",
    "Scored",
    "Tally",
    "Trial",
    "Workbench",
    "as_trials",
    "criterion_rates",
    "cycle_meter",
    "heldout_inputs",
    "reasons_unscored",
    "tally",
    "with_prompt",
    "score_all",
    "score_one",
    "shown_cases",
    "try_prompt",
]
