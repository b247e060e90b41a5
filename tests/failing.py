"""Failures of known causes, made up with the noise of real ones: typos, lengths, expected values."""

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ratchet.store.rows import FailureRow

FILLERS = ["", "", "", "Hello, ", "Hi there! ", "Quick question - ", "Sorry to bother you, "]
ENDINGS = ["", "", "", " Thanks!", " Please be quick.", " It is urgent."]
THINGS = [
    "lamp",
    "chair",
    "table",
    "sofa",
    "carpet",
    "mirror",
    "shelf",
    "candle",
    "vase",
    "clock",
    "pillow",
    "blanket",
    "curtain",
    "drawer",
    "ladder",
]
QUESTIONS = ["Where is the {} kept?", "What does the {} cost?", "Who made the {}?", "Is the {} in stock?"]
TOPICS = {
    "refund": (
        ["refund", "money back", "reimbursement"],
        [
            "When do I get my {0} for the {1}?",
            "I returned the {1} in week {2}, still no {0}",
            "I returned it, how long does a {0} take",
        ],
        ["A refund takes some time.", "You can return the {1} and get your money."],
    ),
    "login": (
        ["password", "login", "PIN"],
        ["I forgot my {0} for the app", "my {0} does not work, error {2}", "How can I reset the {0} of my account?"],
        ["Use your password to sign in.", "Your account is protected by a password."],
    ),
    "delivery": (
        ["parcel", "delivery", "package"],
        ["When does the {0} with the {1} arrive?", "The courier lost {0} {2}", "Track my {0}, did the courier arrive?"],
        ["Your parcel is on its way.", "The courier delivers every parcel on time."],
    ),
    "warranty": (
        ["warranty", "guarantee", "repair"],
        [
            "Does the {0} cover a broken {1}?",
            "The {1} is broken after {2} months, is there a {0}",
            "Extend the {0} by {2} months",
        ],
        ["The warranty covers everything.", "A broken {1} can be repaired under warranty."],
    ),
}
CRITERIA = ["correct", "short", "polite", "valid"]
OUTPUTS = {
    "unsure": ["I do not know.", "Sorry, I do not know that about the {1}.", "I don't know where the {1} is, sorry."],
    "format": ['{{"item": "{1}", "answer": {2}}}', '{{"answer": {2}, "item": "{1}", "sure": true}}'],
    "german": ["Das ist leider nicht bekannt, bitte fragen Sie nach {1}.", "Leider nicht, bitte fragen Sie morgen."],
    "story": ["Once upon a time there was a {1}, everybody loved it.", "Long ago, in {2}, everybody loved the {1}."],
}
COMMENTS = {
    "rude": ["The tone is rude to the customer.", "The customer is insulted, the tone is rude."],
    "wordy": ["The answer is too wordy and rambles.", "It rambles and is far too wordy."],
    "legal": ["Legal advice without a disclaimer.", "The disclaimer for legal advice is missing."],
    "source": ["No source is cited for the claim.", "The claim has no source, nothing is cited."],
}


class Failing(NamedTuple):
    """One failure as the store keeps it, and its true cause."""

    row: FailureRow
    cause: str


class Said(NamedTuple):
    """The texts of a failure."""

    input: str
    output: str
    problems: list[str]
    failed: str = "correct"


Speaker = Callable[[random.Random, str], Said]
"""What a failure of a cause says."""


def mistyped(rng: random.Random, text: str) -> str:
    """The text, in one of four cases with two letters swapped or one lost."""
    if len(text) < 8 or rng.random() > 0.25:
        return text
    i = rng.randrange(1, len(text) - 2)
    return text[:i] + text[i + 1 :] if rng.random() < 0.5 else text[:i] + text[i + 1] + text[i] + text[i + 2 :]


def _filled(rng: random.Random, templates: Sequence[str], word: str = "") -> str:
    return rng.choice(templates).format(word, rng.choice(THINGS), rng.randint(1, 99))


def by_topic(rng: random.Random, cause: str) -> Said:
    """Causes differ by what is asked; the outputs are about it too, or stock phrases."""
    names, inputs, outputs = TOPICS[cause]
    asked = rng.choice(FILLERS) + _filled(rng, inputs, rng.choice(names)) + rng.choice(ENDINGS)
    answer = _filled(rng, outputs) if rng.random() < 0.7 else "I do not know."
    return Said(mistyped(rng, asked), answer, [f"correct: does not contain '{rng.randint(1, 99)} days'"])


def by_output(rng: random.Random, cause: str) -> Said:
    """Anything is asked; causes differ by the form of the output."""
    problems = [f"correct: does not contain 'bin{rng.randint(1, 99)}'"]
    return Said(mistyped(rng, rng.choice(QUESTIONS).format(rng.choice(THINGS))), _filled(rng, OUTPUTS[cause]), problems)


def by_comment(rng: random.Random, cause: str) -> Said:
    """Anything is asked and answered; causes differ by what the judge found."""
    said = by_output(rng, "unsure")
    return said._replace(problems=["polite: " + mistyped(rng, _filled(rng, COMMENTS[cause]))], failed="polite")


def by_criterion(rng: random.Random, cause: str) -> Said:
    """Causes differ by the criterion that failed."""
    question = QUESTIONS[CRITERIA.index(cause)].format(" and the ".join(rng.sample(THINGS, 2)))
    return Said(mistyped(rng, question), "I do not know.", [f"{cause}: is not right"], cause)


SETS: dict[str, tuple[Speaker, list[str]]] = {
    "topic": (by_topic, list(TOPICS)),
    "output": (by_output, list(OUTPUTS)),
    "comment": (by_comment, list(COMMENTS)),
    "criterion": (by_criterion, CRITERIA),
}


def failing(name: str, seed: int, count: int = 200) -> list[Failing]:
    """`count` failures of the four causes of a set, mixed."""
    speaker, causes = SETS[name]
    rng = random.Random(seed)
    mixed = [causes[number % len(causes)] for number in range(count)]
    rng.shuffle(mixed)
    return [Failing(as_row(number, speaker(rng, cause)), cause) for number, cause in enumerate(mixed)]


def as_row(number: int, said: Said, source: str = "") -> FailureRow:
    """A row of the failure store; later numbers are later."""
    results: list[dict[str, Any]] = [
        {"name": said.failed, "outcome": "failed", "passed": False, "score": 0.0, "comment": ""}
    ]
    evaluation = {"criteria": results, "score": 0.0, "passed": False, "problems": said.problems}
    at = f"2031-05-{1 + number // 1000:02d}T10:00:00.{number:06d}+00:00"
    return {
        "id": f"F-{number:05d}",
        "component": "shop",
        "group_key": f"shop: {said.failed}",
        "status": "open",
        "cycle_id": None,
        "source": source or f"user-{number % 7}",
        "created_at": at,
        "bundle": {"input": said.input, "output": said.output, "expected": None, "evaluation": evaluation},
    }
