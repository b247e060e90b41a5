"""What is stored and passed between the steps of the loop, JSON-able by `model_dump(mode="json")`."""

from ratchet.records.diagnosis import REPEAT, Attempt, Category, Diagnosis, Experiment, FailureCause, Fetched, Opinion
from ratchet.records.proposal import Candidate, CandidateResult, Decision, Proposal
from ratchet.records.run import (
    AgentRun,
    CriterionResult,
    Evaluation,
    FailureBundle,
    Outcome,
    Record,
    Spent,
    Step,
    describe_failures,
)
from ratchet.records.validation import (
    CaseDifference,
    Cost,
    CriterionMeasure,
    GateVerdict,
    Measure,
    Repeats,
    RuleViolation,
    Validation,
    Verdict,
)

__all__ = [
    "AgentRun",
    "Attempt",
    "Candidate",
    "CandidateResult",
    "CaseDifference",
    "Category",
    "Cost",
    "CriterionMeasure",
    "CriterionResult",
    "Decision",
    "Diagnosis",
    "Evaluation",
    "Experiment",
    "FailureBundle",
    "FailureCause",
    "Fetched",
    "GateVerdict",
    "Measure",
    "Opinion",
    "Outcome",
    "Proposal",
    "REPEAT",
    "Record",
    "Repeats",
    "RuleViolation",
    "Spent",
    "Step",
    "Validation",
    "Verdict",
    "describe_failures",
]
