"""Running a task's agent: one chat model call, or the user's own graph, Runnable or async callable."""

import inspect
import time
from typing import Any

from ratchet.agents.caller import ComponentCaller
from ratchet.concurrency import is_our_own
from ratchet.config.objects import load_object
from ratchet.errors import ConfigurationError, ModelReplyError, RatchetError, one_line
from ratchet.records import AgentRun


async def run_agent(call: ComponentCaller, text: str) -> AgentRun:
    """Run the agent on the input `text`.

    Without ``[agent] use`` the first component answers. Otherwise the named object is used: an async callable is
    awaited as ``f(text, call)``; a LangGraph graph or Runnable gets ``{"input": text}`` and finds `call` under
    ``config["configurable"]["call"]``. Its result is a string or a mapping with the key ``output``.

    Raises:
        ConfigurationError: the object cannot be imported or run.
        ModelError, SourceError: a step got no answer.
    """
    started = time.perf_counter()
    use = call.task.agent.use
    result = await (_run_custom(use, call, text) if use else call(call.task.components[0], text))
    output = result.get("output") if isinstance(result, dict) else result
    if not isinstance(output, str):
        raise ModelReplyError(f"agent {use}: the result is neither a string nor a mapping with a string 'output'")
    return AgentRun(output=output, trace=call.trace, seconds=round(time.perf_counter() - started, 4))


async def _run_custom(use: str, call: ComponentCaller, text: str) -> Any:
    try:
        return await _call_custom(use, call, text)
    except RatchetError:
        raise
    except BaseException as error:  # the user's code: whatever it raises is its failure, told as such
        if is_our_own(error):
            raise
        raise ModelReplyError(f"agent {use} raised {one_line(error)}") from error


async def _call_custom(use: str, call: ComponentCaller, text: str) -> Any:
    agent = await load_agent(use, call.task.name)
    if hasattr(agent, "ainvoke"):
        return await agent.ainvoke({"input": text}, {"configurable": {"call": call}})
    return await agent(text, call)


async def load_agent(use: str, task_name: str) -> Any:
    """The Runnable or async function that ``[agent] use`` of a task names.

    Raises:
        ConfigurationError: it cannot be imported, or is neither of them.
    """
    where = f"task {task_name}: agent.use"
    agent = await load_object(use, where)
    if not hasattr(agent, "ainvoke") and not inspect.iscoroutinefunction(agent):
        raise ConfigurationError(f"{where}: {use!r} is neither a Runnable nor an async function")
    return agent
