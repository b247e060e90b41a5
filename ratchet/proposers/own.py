"""Proposers of the task's own, named by ``[proposers] use`` in task.toml."""

import inspect
import logging

from ratchet.concurrency import is_our_own
from ratchet.config.objects import load_instance
from ratchet.errors import ConfigurationError, RatchetError, one_line
from ratchet.proposers.proposer import Proposer, Situation
from ratchet.records import Candidate
from ratchet.tasks import Task

log = logging.getLogger(__name__)


class OwnProposer:
    """A proposer of the user's: whatever goes wrong in it costs its candidates, not the cycle."""

    def __init__(self, use: str, proposer: Proposer) -> None:
        self.name = proposer.name
        self._use = use
        self._proposer = proposer

    async def propose(self, situation: Situation) -> list[Candidate]:
        """Its candidates; none, and a warning, where it raises or returns something else."""
        try:
            candidates = await self._proposer.propose(situation)
        except RatchetError:
            raise
        except BaseException as error:  # the user's code: whatever it raises is its failure, told as such
            if is_our_own(error):
                raise
            log.warning("proposer %s gave no candidate: %s", self._use, one_line(error))
            return []
        if not isinstance(candidates, list) or not all(isinstance(item, Candidate) for item in candidates):
            log.warning("proposer %s gave no candidate: %.80r is no list of Candidate", self._use, candidates)
            return []
        return candidates


async def own_proposers(task: Task) -> list[OwnProposer]:
    """The task's own proposers, in their order. A class makes a new one each time; an instance is used as it is.

    Raises:
        ConfigurationError: one cannot be imported, or is no `Proposer`.
    """
    return [await _load(use, f"task {task.name}: proposers.use") for use in task.proposers.use]


async def _load(use: str, where: str) -> OwnProposer:
    proposer = await load_instance(use, where)
    problem = _problem(proposer)
    if problem:
        raise ConfigurationError(f"{where}: {use!r} is no proposer: {problem}")
    return OwnProposer(use, proposer)


def _problem(proposer: object) -> str | None:
    """What of the protocol `Proposer` an object lacks."""
    name, propose = getattr(proposer, "name", None), getattr(proposer, "propose", None)
    if not isinstance(name, str) or not name:
        return f"it needs a `name`, a string (got {name!r})"
    if not inspect.iscoroutinefunction(propose):
        return "it needs a method `async def propose(self, situation)`"
    try:
        inspect.signature(propose).bind(None)
    except TypeError as error:
        return f"`propose` has to take the situation and nothing else ({error})"
    return None
