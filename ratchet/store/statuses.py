"""What stored things can be at: every status stands here once, with what it means, and in docs/architecture.md."""

from typing import Literal

FailureStatus = Literal[
    "open",  # waits for a cycle
    "in_cycle",  # a cycle works on it
    "fixed",  # the change of its cycle went live
    "superseded",  # happened under a prompt that has been replaced since
    "escalated",  # its cycle found no change, a person decides
    "dismissed",  # a person said that nothing is to be done
    "corrected",  # a person said that something else was expected, which is a case now
]
WAITING: tuple[FailureStatus, ...] = ("escalated", "open")
"""Failures that a person may answer; those on which only the budget of a cycle ended are open."""
IN_HANDS: tuple[FailureStatus, ...] = ("in_cycle", "escalated")
"""Failures that a cycle works on or has left to a person."""
CLOSED_BY_PERSON: tuple[FailureStatus, ...] = ("corrected", "dismissed")
"""Failures that only another answer of a person changes."""

CycleStatus = Literal[
    "running",  # a process works on it, or the next one goes on with it
    "awaiting_approval",  # a proven change waits for a reviewer
    "applied",  # its change went live
    "rejected",  # a reviewer said no
    "stale",  # approved too late: the prompt had changed since
    "escalated",  # handed over to a person, see its review
    "inconclusive",  # no change could be proven, see its review
    "gave_way",  # the cause lies in a component that another cycle works on
]
OPEN_CYCLE: tuple[CycleStatus, ...] = ("running", "awaiting_approval")
"""Cycles that keep others for the same task and component from starting."""

ProposalStatus = Literal[
    "pending",  # proven, waits for a reviewer
    "editing",  # a reviewer answered with a version of their own, which is being validated
    "approved",  # a reviewer said yes, it is about to go live
    "applied",  # it went live
    "rejected",  # a reviewer said no
    "replaced",  # a reviewer's own version took its place
    "stale",  # approved too late: the prompt had changed since
    "refused",  # a guard was against it, nothing was tried
    "unproven",  # met the gate and was not proven
]
FAILED_IDEA: tuple[ProposalStatus, ...] = ("refused", "rejected", "unproven")
"""Proposals that are not made again from the same prompt."""

VersionStatus = Literal[
    "applying",  # its row is written, the prompts file perhaps not yet
    "active",  # in force
    "superseded",  # a later version took its place
    "rolled_back",  # taken back
    "undone",  # never in force: the file was edited while it was being applied
]

ReviewStatus = Literal[
    "open",  # waits for a person
    "dismissed",  # nothing is to be done
    "corrected",  # something else was expected of all its failures
    "retried",  # its failures were opened for another cycle
    "forced",  # its unproven change went live on a person's word
]
AnswerKind = Literal[
    "dismiss",  # nothing is to be done
    "correct",  # something else was expected
    "retry",  # another cycle is to work on it
    "force",  # the unproven change is to go live
]
ReviewKind = Literal[
    "capability",  # no experiment made the failed runs pass
    "cut_off",  # the failed runs were cut off at max_tokens, whatever was tried
    "refused",  # the model refused to answer in the failed runs
    "filtered",  # the endpoint's content filter withheld the answers
    "tool_call",  # the model called a tool instead of answering
    "unstable",  # the failed runs pass when they are simply repeated
    "inconclusive",  # the held-out cases did not tell old and new apart
    "worse",  # the change loses held-out cases
    "vetoed",  # the change wins held-out cases and breaks a rule or a limit
    "budget",  # the model calls were used up
    "evaluator",  # the evaluator passes a known bad answer
    "error",  # nothing could be found out by trying
]
