"""Numbers of things, as people write them."""


def quantity(number: int, thing: str) -> str:
    """Number and thing: 1 case, 2 cases, 1,200 cases."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
