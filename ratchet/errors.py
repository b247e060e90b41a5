"""Errors a user can meet. Each message is one line that says what is wrong and what to do about it."""


class RatchetError(RuntimeError):
    """Base of all errors that Ratchet raises on purpose.

    A `RuntimeError`, because the server passes the words of that class on to its caller and hides those of others.
    """


class ConfigurationError(RatchetError):
    """A setting or a file a user wrote is wrong; nothing was changed."""


class UnknownTaskError(ConfigurationError):
    """No task of that name exists."""


class ModelError(RatchetError):
    """A model did not answer, or answered with something unusable, after all retries."""


class ModelUnavailableError(ModelError):
    """The model's endpoint could not be reached or kept failing.

    `overloaded`: it was asked too much at a time. `retry_after`: seconds after which it asks to be called again.
    `lasting`: it will be so for hours, so that no further try helps.
    """

    def __init__(
        self, message: str, *, overloaded: bool = False, retry_after: float | None = None, lasting: bool = False
    ) -> None:
        super().__init__(message)
        self.overloaded = overloaded
        self.retry_after = retry_after
        self.lasting = lasting


class ModelReplyError(ModelError):
    """The model's reply does not have the form that was asked for."""


class UnfinishedReplyError(ModelReplyError):
    """The model's reply was cut off where only a whole one is of use; asked again it would be cut off again."""


class NoWordingError(ModelReplyError):
    """The model's reply is whole and holds no wording: it had no idea, or went round in circles."""


class BudgetError(RatchetError):
    """The call budget of a cycle is used up; what was paid for is kept."""


class SourceError(RatchetError):
    """A context source could not be read or did not answer in time."""


class PatternError(RatchetError):
    """A search for a pattern that was cut off, or a pattern that cannot be searched for."""


class EvaluationError(RatchetError):
    """A criterion could not be evaluated; becomes the outcome ``error``."""


class TriageError(RatchetError):
    """Nothing can be found out about a failure by trying."""


class StaleBaseError(RatchetError):
    """A change was made for a version that is no longer the active one."""


class AlreadyDecidedError(RatchetError):
    """A proposal has been approved or rejected before."""


class RefusalError(RatchetError):
    """What was asked for must not be done; nothing was changed."""


class InputError(RatchetError):
    """What a run was asked has a wrong type or size; nothing was stored or paid for."""


class AnswerError(RatchetError):
    """An answer to an approval request has none of the accepted forms."""


def one_line(error: BaseException) -> str:
    """An error of other people's code in one line: its type, and what it says as far as that can be read."""
    try:
        words = " ".join(str(error).split())
    except Exception as second:  # its own `__str__` is other people's code too
        words = f"its words cannot be read ({type(second).__name__})"
    return f"{type(error).__name__}: {words[:500]}" if words else type(error).__name__
