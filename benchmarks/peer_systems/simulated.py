"""A simulated chat model that decides by fixed rules. It sees the request only, never who sent it.

As an agent, asked to answer a ticket:
1. It understands what the last user message is about, whatever stands around it.
2. Where an earlier turn of the conversation shows an answer to a ticket of the same kind, it gives that answer.
3. Otherwise, where the system prompt says which queue tickets of that kind get (`rule`), it names that queue.
4. Otherwise it says its own word for the kind, which is right for a quarter of them.
Temperature, seed and limits change nothing.

As an author it is asked to improve or to propose instructions, to describe data, or to summarise descriptions. It has
one ability, the same for everybody: it reads off what the request shows. That is every rule that stands in it, and
every ticket that is followed by the right queue. The queue may stand in the words of a criterion (``is not
'harbour'``), as a field of a record (``'queue': 'harbour'``) or as a labelled line (``Queue: harbour``). The last such
word after a ticket counts, because feedback follows the answer. It keeps the present instructions and adds the rules
that it has learnt. Asked for one sentence it gives one rule. It never makes up what it was not shown.

The form of the reply follows the form of the request. It is a JSON object where a ``response_format`` asks for one, and
marked fields where the system prompt announces ``[[ ## name ## ]]``. It is a fenced block where one is asked for, else
plain text. As an analyst (a form with a ``category``) it says "prompt".
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from benchmarks.peer_systems.tickets import KINDS, Kind

Request = dict[str, Any]
_PROBLEMS = {problem.casefold(): kind for kind in KINDS for problem in kind.problems}
_PROBLEM = re.compile("|".join(re.escape(problem) for problem in _PROBLEMS), re.IGNORECASE)
_RULE = re.compile(r'Tickets about (\w+) go to the queue "(\w+)"\.')
_TOLD = re.compile(r"""is not ['"](\w+)|['"]queue\\?['"]:\s*\\?['"](\w+)|\bQueue:\s*(\w+)""")
_FIELD = re.compile(r"^\d+\. `(\w+)`", re.MULTILINE)
_MARKED = re.compile(r"\[\[ ## (\w+) ## \]\]\s*(.*?)\s*(?=\[\[ ## |\Z)", re.DOTALL)
_FENCED = re.compile(r"```\n(.*?)\n```", re.DOTALL)
_BLOCK = re.compile(r"Current instructions:\n(\S+)\n(.*?)\n\1\n", re.DOTALL)
_AUTHOR = re.compile(r"\b(improve the instructions|new instructions?|rewrite the instructions)\b", re.IGNORECASE)
_DESCRIPTIONS = ("observations", "summary", "program_description", "module_description")


def rule(word: str, queue: str) -> str:
    """The sentence that the model understands, and that it writes as an author."""
    return f'Tickets about {word} go to the queue "{queue}".'


def reply(request: Request) -> str:
    """What the model says to a chat-completion request."""
    messages = [(message["role"], _text(message["content"])) for message in request["messages"]]
    whole = "\n".join(text for _, text in messages)
    names = _fields(request, messages)
    if names:
        values = {name: _value(name, messages, whole) for name in names}
        if request.get("response_format"):
            return json.dumps(values)
        marked = [f"[[ ## {name} ## ]]\n{value}" for name, value in values.items()]
        return "\n\n".join([*marked, "[[ ## completed ## ]]"])
    if messages[0][0] == "user" and _AUTHOR.search(whole):
        return _write(whole)
    return answer(messages)


def answer(messages: Sequence[tuple[str, str]]) -> str:
    """The model's answer to the ticket in the last message."""
    kind = _kind_of(messages[-1][1])
    if kind is None:
        return "unknown"
    for (_, shown), (role, said) in zip(messages[-3::-1], messages[-2::-1], strict=False):
        if role == "assistant" and _kind_of(shown) == kind:
            return _answer_in(said)
    told = dict(_RULE.findall("\n".join(text for role, text in messages if role == "system")))
    return told.get(kind.word, kind.word)


def learnt(text: str) -> dict[str, str]:
    """Word to queue, as far as `text` shows it."""
    found = dict(_RULE.findall(text))
    places = list(_PROBLEM.finditer(text))
    for place, following in zip(places, [*places, None][1:], strict=True):
        kind = _PROBLEMS[place[0].casefold()]
        told = _TOLD.findall(text, place.end(), following.start() if following else len(text))
        if told:
            queue = next(filter(None, told[-1]))
            if queue != kind.word:
                found[kind.word] = queue
    return found


def improve(instructions: str, shown: str) -> str:
    """`instructions` with every rule that `shown` teaches."""
    rules = [rule(word, queue) for word, queue in sorted(learnt(shown).items())]
    return "\n".join([instructions, *(text for text in rules if text not in instructions)])


def _write(whole: str) -> str:
    block, fenced = _BLOCK.search(whole), _FENCED.search(whole)
    present = block[2] if block else fenced[1] if fenced else ""
    if "single sentence" in whole:
        new = [rule(word, queue) for word, queue in sorted(learnt(whole).items())]
        return next((text for text in new if text not in present), "Read the whole ticket before you answer.")
    text = improve(present, whole)
    return f"```\n{text}\n```" if "within ```" in whole else text


def _value(name: str, messages: Sequence[tuple[str, str]], whole: str) -> str:
    given = dict(_MARKED.findall(messages[-1][1]))
    if name == "category":
        return "prompt"
    if name == "missing":
        return ""
    if name in ("explanation", "reason", "reasoning"):
        return "The instructions do not say which queues there are."
    if "instruction" in name:
        return improve(given.get("current_instruction") or given.get("basic_instruction", ""), whole)
    if name in _DESCRIPTIONS:
        return improve("Tickets of customers, each with its queue.", whole)
    return answer(messages)


def _fields(request: Request, messages: Sequence[tuple[str, str]]) -> list[str]:
    """Names of the fields that the reply must have; none for plain text."""
    form = request.get("response_format") or {}
    properties = form.get("json_schema", {}).get("schema", {}).get("properties")
    if properties:
        return list(properties)
    announced = messages[0][1].partition("Your output fields are:")[2]
    return _FIELD.findall(announced.partition("All interactions")[0])


def _kind_of(text: str) -> Kind | None:
    """The kind of the last ticket in `text`."""
    found = _PROBLEM.findall(text)
    return _PROBLEMS[found[-1].casefold()] if found else None


def _answer_in(text: str) -> str:
    """The answer in a shown turn, without the marks around it."""
    marked = _MARKED.findall(text)
    return str(marked[0][1]) if marked else text.strip()


def _text(content: Any) -> str:
    """The text of a message, also where it comes in parts."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [])
