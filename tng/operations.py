"""What an operator can do about releases and retrainings, in one hand: for the api."""

from __future__ import annotations

from dataclasses import dataclass

from tng.release_ledger import ReleaseLedger
from tng.release_lookout import ReleaseLookout
from tng.retraining import Retrainings
from tng.retraining_lookout import RetrainingLookout
from tng.timetable import Timetable


@dataclass(frozen=True, slots=True)
class Operations:
    """The two lookouts, and the three use cases that change something."""

    releases: ReleaseLookout
    runs: RetrainingLookout
    ledger: ReleaseLedger
    timetable: Timetable
    retrainings: Retrainings
