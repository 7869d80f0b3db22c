"""Every failure that the product knows, as one tree. It is not a place for texts of the page.

    TngError
    ├── PremiseError          the request cannot be written as asked
    ├── OrderError
    │   ├── OrderNotFound     no such order for this customer
    │   ├── IllegalMove       an order cannot go from this state to that one
    │   ├── StillOwed         a customer who cannot be forgotten yet
    │   ├── EditionRefused    a change that a script cannot take
    │   ├── EditionOvertaken  another page was quicker with its change
    │   ├── TakeUnderWay      another scene of the script is being written again
    │   ├── ShopClosed        no new order may be taken now
    │   └── TooManyUnpaid     one customer has too many open pages
    ├── PaymentError
    │   ├── PaymentMismatch   money that does not fit the order
    │   ├── SignatureInvalid  a webhook that Stripe did not send
    │   ├── PaymentRefused    Stripe answered and said no
    │   └── GatewayUnavailable  Stripe did not answer
    ├── RunError
    │   ├── UnknownParameter  a notebook was given a parameter that it does not name
    │   ├── RunFailed         a cell of the notebook raised
    │   ├── RunTimedOut       a cell took longer than it may
    │   └── KernelDied        the kernel ended before the notebook did
    ├── LeaseError
    │   ├── LeaseLost         another worker owns the job now
    │   └── JobCancelled      the job is to stop
    ├── ReleaseError
    │   ├── ReleaseMissing    no release where one is needed
    │   ├── ReleaseDamaged    a release whose files are not those of its manifest
    │   └── PromotionRefused  this release may not become, or stay, the current one
    │       └── PromotionOvertaken  somebody else was quicker
    ├── RetrainingError       a retraining that cannot be begun, or gone on with
    ├── ScheduleError         no schedule, or none of that name
    ├── ShowError             a show whose folder cannot be read
    ├── CorpusError           text that cannot be read as a corpus
    ├── CheckpointError       weights that are not what they say
    ├── DownloadError         something that could not be fetched
    ├── ScriptError           text that cannot be read as a script
    ├── NoticeUndelivered     a notice, or a mail to a customer, that nobody took
    ├── BackupError           a backup that cannot be made, or cannot be trusted
    ├── StoreBusy             the database is locked for too long
    ├── ApiError              the api refused, or could not be reached
    ├── HomeTaken             a home folder that is another person's
    └── SettingsError         the configuration cannot be started
        └── HouseOpen         another one runs in this home folder

Each carries two sentences: ``str(error)`` for the log (what is wrong, the value, what to do; never a
premise, an address or script text) and ``user_message`` for the person in front of the page.
``retryable`` decides whether a worker or a caller may try the same thing again.
"""


class TngError(Exception):
    """The root: anything that the product raises on purpose."""

    user_message = "Something went wrong on our side. Please try again in a moment."
    retryable = False

    def __init__(self, message: str, *, user_message: str | None = None) -> None:
        super().__init__(message)
        if user_message is not None:
            self.user_message = user_message


class PremiseError(TngError):
    """The request cannot be written as asked; ``user_message`` says which field and why."""

    user_message = "The premise cannot be used as it is."


class OrderError(TngError):
    """Something about an order."""


class OrderNotFound(OrderError):
    """No such order for this customer. A stranger's order is not found either."""

    user_message = "There is no such order."


class IllegalMove(OrderError):
    """An order cannot go from its state to the one asked for."""

    user_message = "That is not possible for this order any more."


class StillOwed(OrderError):
    """Somebody's words cannot be taken away while something is owed to them, or may be yet; it says which orders."""

    user_message = "That is possible once all of your orders have come to their end."


class EditionRefused(OrderError):
    """A change that a script cannot take; ``user_message`` says why, and what to do."""

    user_message = "The script cannot be changed like that."


class EditionOvertaken(OrderError):
    """The script is another one by now than the one that was changed: in another tab, say."""

    user_message = "The script was changed somewhere else in the meantime. Please look again."


class TakeUnderWay(OrderError):
    """Another scene of the same script is being written again."""

    user_message = "Another scene is being written again. Please wait until it is there."


class ShopClosed(OrderError):
    """No new order may be taken now (no release to write with, no disk, or a full queue)."""

    user_message = "We cannot take new orders at the moment. Nothing was charged. Please come back later."


class TooManyUnpaid(OrderError):
    """One customer has so many orders that wait to be paid that the next one would take somebody else's place."""

    user_message = "Several of your orders wait to be paid. Please pay for one of them or cancel it, then order again."


class PaymentError(TngError):
    """Something about money."""


class PaymentMismatch(PaymentError):
    """Money that does not fit the order: amount, currency, owner, or test money for a live order."""

    user_message = "The payment does not match the order. We are looking into it."


class SignatureInvalid(PaymentError):
    """A webhook that Stripe did not send, or sent too long ago."""

    user_message = "The signature is not valid."


class PaymentRefused(PaymentError):
    """Stripe answered and said no."""

    user_message = "The payment service refused the request. Nothing was charged."


class GatewayUnavailable(PaymentError):
    """Stripe did not answer."""

    user_message = "The payment service does not answer at the moment. Nothing was charged. Please try again."
    retryable = True


class RunError(TngError):
    """A notebook could not be run to its end."""

    user_message = "The script could not be written."
    retryable = True


class UnknownParameter(RunError):
    """A notebook was given a parameter that it does not name, or not given one that it needs."""

    retryable = False


class RunFailed(RunError):
    """A cell of the notebook raised; ``cause`` is the name of the exception's class."""

    def __init__(self, message: str, *, cause: str = "", retryable: bool = True) -> None:
        super().__init__(message)
        self.cause = cause
        self.retryable = retryable


class RunTimedOut(RunError):
    """A cell of the notebook took longer than it may."""


class KernelDied(RunError):
    """The kernel ended before the notebook did."""


class LeaseError(TngError):
    """The worker may not go on with its job."""


class LeaseLost(LeaseError):
    """Another worker owns the job now: nothing that this one writes counts any more."""


class JobCancelled(LeaseError):
    """The job is to stop, because its order was cancelled or refunded."""


class ReleaseError(TngError):
    """Something about the model that writes."""

    user_message = "The writer is not available at the moment."


class ReleaseMissing(ReleaseError):
    """No release where one is needed."""


class ReleaseDamaged(ReleaseError):
    """A release whose files are not those of its manifest."""


class PromotionRefused(ReleaseError):
    """This release may not become the current one; the sentence says why."""


class PromotionOvertaken(PromotionRefused):
    """The current release is another one by now than the one that was decided upon."""

    user_message = "Another release has become current in the meantime. Please look again."


class RetrainingError(TngError):
    """A retraining cannot be begun, cancelled or gone on with as things are; the sentence says why."""


class ScheduleError(TngError):
    """A schedule that is none, or a name that none has; the sentence says why."""


class ShowError(TngError):
    """A show whose folder cannot be read, or does not fit what it is used with."""


class CorpusError(TngError):
    """Text that cannot be read as a corpus."""


class CheckpointError(TngError):
    """Weights that are not what they say: a file, a shape, a vocabulary or a loss that does not fit."""


class DownloadError(TngError):
    """Something that could not be fetched: no network, another size or another digest."""


class ScriptError(TngError):
    """Text that cannot be read as a script."""


class NoticeUndelivered(TngError):
    """A notice, or a mail to a customer, could not be delivered: a webhook or a mail server did not take it."""

    user_message = "A notice could not be delivered."
    retryable = True


class BackupError(TngError):
    """A backup that cannot be made or read, is not whole, or would be laid over orders that are there."""


class StoreBusy(TngError):
    """The database was locked for longer than the time limit."""

    user_message = "We are very busy at the moment. Please try again in a few seconds."
    retryable = True


class ApiError(TngError):
    """The api refused, or could not be reached; ``status`` is the HTTP status, 0 where none came."""

    def __init__(self, message: str, *, status: int = 0, user_message: str | None = None) -> None:
        super().__init__(message, user_message=user_message)
        self.status = status
        self.retryable = status in (0, 429, 502, 503, 504)


class HomeTaken(TngError):
    """A home folder, or the Unix user that it belongs to, is another person's: nobody gets into it by a number."""

    user_message = "Your desk could not be set up: a folder of another person is in its place. We have been told."


class SettingsError(TngError):
    """The configuration cannot be started; the message says which setting and what it must be."""


class HouseOpen(SettingsError):
    """Another one runs in this home folder already."""
