"""What an operator can do about releases and retrainings, in one hand: for the api."""

from __future__ import annotations

from dataclasses import dataclass

from tng.promotion.ledger import ReleaseLedger
from tng.promotion.lookout import ReleaseLookout
from tng.training.lookout import RetrainingLookout
from tng.training.retraining import Retrainings
from tng.training.timetable import Timetable


@dataclass(frozen=True, slots=True)
class Operations:
    """The two lookouts, and the three use cases that change something."""

    releases: ReleaseLookout
    runs: RetrainingLookout
    ledger: ReleaseLedger
    timetable: Timetable
    retrainings: Retrainings
