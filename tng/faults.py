"""What went wrong, as it is counted for an operator: kinds and numbers, never the words of an error. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import tng.errors

OTHER_KINDS = {
    "WorkerDied": "A worker died on every one of its attempts at a job; the money is given back.",
    "RefundFailed": "A refund came back to Stripe: the money is still here, and a person has to find another way.",
    "NoScript": "A run ended well, and what it handed over is no script.",
    "NoResult": "A run ended well, and handed over nothing.",
    "NoNotebook": "The notebook that should run is not there.",
    "NoDecision": "The last notebook of a retraining ended well, and handed over no decision; nothing is promoted.",
    "WrongRelease": "A run speaks of another release than the one that it was given; what it made does not count.",
    "Other": "More kinds of failure than are counted apart. The log names them.",
}
"""Faults that are no error of a class."""

NOT_OURS = "Not an error of ours: a slip in the code, or a part of the machine that failed. The log says where."


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of failure in one part of the house: how often it was seen, and when last."""

    part: str
    kind: str
    count: int
    last_at: datetime

    def and_again(self, other: Fault) -> Fault:
        """Both together."""
        return replace(self, count=self.count + other.count, last_at=max(self.last_at, other.last_at))

    @property
    def sentence(self) -> str:
        """What the kind means, for an operator: what its class says of itself."""
        kind = getattr(tng.errors, self.kind, None)
        if not (isinstance(kind, type) and issubclass(kind, tng.errors.TngError)):
            return OTHER_KINDS.get(self.kind, NOT_OURS)
        return " ".join((kind.__doc__ or NOT_OURS).split("\n\n")[0].split())
