"""How each candidate fared, as the reviewer sees it."""

from ratchet.records import Candidate, CandidateResult
from ratchet.search.entry import Entry
from ratchet.search.race import RaceResult


def standings(result: RaceResult, incumbent: Entry, number: int) -> list[CandidateResult]:
    """A row for each entry of race `number`, best first."""
    return [
        CandidateResult(
            strategy=entry.candidate.strategy,
            rationale=entry.candidate.rationale,
            status="lost",
            reason=_reason(entry, result.best, incumbent, number),
            passed=entry.passed,
            total=len(entry.runs),
            round=number,
        )
        for entry in result.entries
    ]


def _reason(entry: Entry, best: Entry | None, incumbent: Entry, number: int) -> str:
    if best is entry:
        return f"best of round {number}: {entry.share} pass"
    if entry.out:
        return entry.out
    if best:
        return f"{entry.share} pass, {best.candidate.rationale} has {best.share}"
    return f"{entry.share} pass, {incumbent.candidate.rationale} has {incumbent.share}: not enough to keep it"


def not_tried(candidate: Candidate, number: int) -> CandidateResult:
    """The row of a candidate whose race the budget ended."""
    return CandidateResult(
        strategy=candidate.strategy,
        rationale=candidate.rationale,
        status="not_tried",
        reason="the budget was used up",
        round=number,
    )
