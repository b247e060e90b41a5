"""The task of the measurement: name the queue of a support ticket. 20 training, 20 validation and 40 test tickets.

There are four kinds of tickets, or eight. For a quarter of them the word that anybody would use is also the name of the
queue. The other queues have house names that nobody can guess. So a naive prompt is right on exactly a quarter, and
three things are to be learnt, or six. Everything is made from the lists below: the same tickets in every run.
"""

import random
from typing import NamedTuple

NAIVE = "Say in one word what the ticket is about."
SPLITS = ("train", "validation", "test")


class Kind(NamedTuple):
    """What a ticket can be about."""

    word: str
    """What a model calls it when nobody told it better."""
    queue: str
    """The right answer."""
    problems: tuple[str, ...]


class Ticket(NamedTuple):
    """An input and its right answer."""

    input: str
    expected: str


KINDS = (
    Kind(
        "complaint",
        "complaint",
        (
            "your clerk was rude to me on the phone",
            "nobody has replied to my letters",
            "I was kept on hold for an hour",
            "the promised call never came",
            "I was hung up on twice",
            "the shop assistant laughed at my question",
            "your chat ended while I was still typing",
            "three people told me three different things",
            "the survey you sent was insulting",
            "my feedback was deleted from your page",
        ),
    ),
    Kind(
        "billing",
        "ledger",
        (
            "I was charged twice for one order",
            "the invoice shows the wrong amount",
            "a fee appeared on my statement",
            "my card was debited after I cancelled",
            "the discount code was not deducted",
            "I need a receipt with the tax number",
            "the direct debit was taken a week early",
            "my credit note has not been paid out",
            "the instalment plan shows one rate too many",
            "the price at the checkout was higher than shown",
        ),
    ),
    Kind(
        "delivery",
        "harbour",
        (
            "the parcel has not arrived",
            "the courier left the box at the wrong house",
            "tracking has shown no movement for days",
            "the box came crushed and wet",
            "half of the shipment is missing",
            "the driver could not find my street",
            "the pickup point was closed",
            "the crate is held at customs",
            "I was not home when the van came",
            "the pallet was unloaded in the rain",
        ),
    ),
    Kind(
        "login",
        "gatekeeper",
        (
            "my password is rejected",
            "the reset mail never comes",
            "the six digits from my phone are refused",
            "my account is locked after three tries",
            "the page signs me out every minute",
            "I cannot change my user name",
            "the fingerprint sensor is ignored since the update",
            "the confirmation link has expired",
            "somebody else is shown in my profile",
            "the captcha repeats without end",
        ),
    ),
    Kind(
        "privacy",
        "privacy",
        (
            "I want a copy of all data you hold on me",
            "delete everything you know of me",
            "who was given my address",
            "stop tracking me across your pages",
            "my photo was published without consent",
            "for how long are my records kept",
            "I object to being profiled",
            "your partner wrote to me although I opted out",
            "please correct my date of birth in your records",
            "I withdraw my consent to the newsletter",
        ),
    ),
    Kind(
        "warranty",
        "workshop",
        (
            "the kettle stopped heating after a week",
            "a hinge broke off within the guarantee",
            "the battery holds for ten minutes only",
            "the screen flickers since I unpacked it",
            "one leg of the table is cracked",
            "the zip came apart on the first day",
            "the motor makes a grinding noise",
            "the lamp has a loose contact",
            "paint peels off the handle",
            "the seal leaks since the first use",
        ),
    ),
    Kind(
        "stock",
        "granary",
        (
            "when will the green one be available again",
            "is the large size still to be had",
            "the page says sold out since spring",
            "can you reserve two of them for me",
            "how many are left in the branch",
            "will the old model come back",
            "I was promised one from the next batch",
            "do you still carry spare bags",
            "the waiting list does not move",
            "is this colour discontinued",
        ),
    ),
    Kind(
        "returns",
        "carousel",
        (
            "I want to send the shoes back",
            "which label do I put on the box to you",
            "the colour does not suit me and I want to swap it",
            "can I hand it back in a branch",
            "the gift was unwanted, what now",
            "I ordered two sizes to keep one",
            "how many days do I have to change my mind",
            "your collection of the wardrobe was not made",
            "do I need the original wrapping to give it back",
            "I would like another one in exchange",
        ),
    ),
)
_OPENINGS = (
    "Hello,",
    "Good morning, this is about the blue kettle:",
    "Please help,",
    "Second message from me:",
    "Dear team, since Monday",
    "To whom it may concern:",
    "Hi there, regarding my garden chairs,",
)
_CLOSINGS = (
    "What can be done?",
    "I have been a customer for years.",
    "Kindly look into it today.",
    "This is the second time.",
    "My number is in the file.",
    "Thank you in advance.",
    "I am writing from Lisbon.",
    "Please answer soon.",
    "It was a present for my aunt.",
)


def tickets(kinds: int) -> dict[str, list[Ticket]]:
    """The tickets of each split, of the first `kinds` kinds (4 or 8); no ticket is in two splits."""
    found: dict[str, list[Ticket]] = {split: [] for split in SPLITS}
    for number, kind in enumerate(KINDS[:kinds]):
        texts = _texts(kind, number, 80 // kinds)
        for split, size in zip(SPLITS, _sizes(kinds, number), strict=True):
            found[split] += [Ticket(text, kind.queue) for text in texts[:size]]
            del texts[:size]
    for split, items in found.items():
        random.Random(split).shuffle(items)  # a fixed order, not chance
    return found


def _texts(kind: Kind, number: int, count: int) -> list[str]:
    texts = []
    for n in range(count):
        problem = kind.problems[n % len(kind.problems)]
        step = n + 5 * number + n // len(kind.problems)
        texts.append(f"{_OPENINGS[step % len(_OPENINGS)]} {problem}. {_CLOSINGS[step % len(_CLOSINGS)]}")
    random.Random(number).shuffle(texts)
    return texts


def _sizes(kinds: int, number: int) -> tuple[int, int, int]:
    """Tickets of one kind in each split: a quarter of 20, 20 and 40, or an eighth, which is 2 or 3 of 20."""
    if kinds == 4:
        return 5, 5, 10
    return (2, 3, 5) if (number + number // 4) % 2 else (3, 2, 5)
