"""Which release writes: promoted, rolled back, and looked up for any moment. Over the ledger in the orders database.

A promotion names the release that it was decided against, and counts only while that one is still current: of many
who decide at once one is heard, and the others are told. No file is touched; workers read the ledger for each job.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tng.errors import PromotionOvertaken, PromotionRefused, ReleaseError, ReleaseMissing
from tng.log import told
from tng.notices import Notice, NoticeKind, tell
from tng.ports import Clock, Store, Work
from tng.promotion.promotions import Evaluation, Promotion, PromotionKind, before
from tng.promotion.shelf import ReleaseShelf, show_of
from tng.releases import MANIFEST, Release, digest, verify

logger = logging.getLogger(__name__)

MOST_REASON_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Current:
    """The release that writes now, and the row of the ledger that says so."""

    release: Release
    promotion: Promotion


class ReleaseLedger:
    """The ledger of one house. ``first`` is the release that a house without a ledger begins with.

    ``show_id`` is what the house sells: no release of another show becomes current. Safe to use from many threads and
    processes.
    """

    def __init__(self, store: Store, clock: Clock, shelf: ReleaseShelf, first: Release, *, show_id: str = "") -> None:
        self._store, self._clock, self._shelf, self._first = store, clock, shelf, first
        self._show_id = show_id
        self._rows: dict[int | None, Promotion] = {}

    def current(self) -> Current:
        """The release that writes now; the ledger is begun where there is none. It is found, and not verified.

        Raises ReleaseMissing, ReleaseDamaged, StoreBusy.
        """
        row = self.last()
        return Current(self._shelf.take(row.to_id, row.digest), row)

    def last(self) -> Promotion:
        """The last row; the ledger is begun where there is none. Raises ReleaseMissing, StoreBusy."""
        with self._store.read() as work:
            row = work.promotions.current()
        return row or self._begin()

    def release_of(self, promotion_id: int | None) -> Release:
        """The release that a row of the ledger made current. A row never changes: it is read once.

        Raises ReleaseMissing, ReleaseDamaged, StoreBusy.
        """
        row = self._rows.get(promotion_id) or self._read_row(promotion_id)
        return self._shelf.take(row.to_id, row.digest)

    def history(self, limit: int = 1000) -> Sequence[Promotion]:
        """The rows, the newest first. Raises StoreBusy."""
        with self._store.read() as work:
            return work.promotions.history(limit)

    def at(self, moment: datetime) -> Promotion | None:
        """The row that held at ``moment``; None before the first. Raises StoreBusy."""
        with self._store.read() as work:
            return work.promotions.at(moment)

    def promote(
        self,
        name: str,
        *,
        actor: str,
        reason: str,
        expected: str | None = None,
        evaluation_id: int | None = None,
        unproven: bool = False,
    ) -> Promotion:
        """Make the release ``name`` current. ``expected`` is what is current as far as the caller knows.

        Every file of it is verified first. Without ``unproven`` its last evaluation must be for it, and against the
        release that is current. Raises PromotionRefused, PromotionOvertaken, ReleaseMissing, ReleaseDamaged, StoreBusy.
        """
        reason = _reason(reason)
        release = verify(self._shelf.find(name))
        self._refuse_another_show(release)
        sha256 = self._sha256_within_reach(release)
        found = self.last()
        with self._store.begin() as work:
            now_current = work.promotions.current() or found
            _refuse_overtaken(now_current, expected)
            if now_current.to_id == release.id:
                raise PromotionRefused(f"release {release.id} is current already")
            proof = _proof(work, release.id, evaluation_id)
            if not unproven:
                _refuse_unproven(release.id, now_current.to_id, proof)
            row = self._row(now_current, PromotionKind.PROMOTED, (release.id, sha256), actor, reason)
            row = work.promotions.add(replace(row, evaluation_id=proof.id if proof else None))
            self._tell(work, row)
            work.commit()
        _log(row)
        return row

    def roll_back(
        self,
        *,
        actor: str,
        reason: str,
        to: str = "",
        expected: str | None = None,
        kind: PromotionKind = PromotionKind.ROLLED_BACK,
    ) -> Promotion:
        """Make the release before the current one current again, or ``to``, which must have been current once.

        Raises PromotionRefused where there is none, PromotionOvertaken, ReleaseMissing, ReleaseDamaged, StoreBusy.
        """
        reason = _reason(reason)
        with self._store.begin() as work:
            history = work.promotions.history()
            if not history:
                raise PromotionRefused("the ledger is empty: no other release has ever been current")
            _refuse_overtaken(history[0], expected)
            target = _way_back(history, to)
            release = self._shelf.take(target.to_id, target.digest)
            self._refuse_another_show(release)
            row = work.promotions.add(self._row(history[0], kind, (target.to_id, target.digest), actor, reason))
            self._tell(work, row)
            work.commit()
        _log(row)
        return row

    def evaluation_of(self, row: Promotion) -> Evaluation | None:
        """What a promotion was decided upon. Raises StoreBusy."""
        if row.evaluation_id is None:
            return None
        with self._store.read() as work:
            return work.promotions.evaluation(row.evaluation_id)

    def _read_row(self, promotion_id: int | None) -> Promotion:
        row = next((row for row in self.history() if row.id == promotion_id), None)
        if row is None:
            raise ReleaseMissing("the ledger of releases does not say which one is to write; promote one")
        self._rows[promotion_id] = row
        return row

    def _begin(self) -> Promotion:
        """The first row, written once, whoever comes first."""
        with self._store.begin() as work:
            row = work.promotions.current()
            if row is not None:
                return row
            first = self._first
            manifest = first.folder / MANIFEST
            if not manifest.is_file():
                raise ReleaseMissing(f"no release in {first.folder}: name one in TNG_RELEASE")
            row = Promotion(
                1,
                self._clock.now(),
                PromotionKind.FIRST,
                None,
                first.id,
                digest(manifest),
                "house",
                "the house was opened with it",
            )
            work.promotions.add(row)
            work.commit()
        _log(row)
        return row

    def _refuse_another_show(self, release: Release) -> None:
        written = show_of(release)
        if self._show_id and written not in (None, self._show_id):
            raise PromotionRefused(f"release {release.id} writes {written}, and this house sells {self._show_id}")

    def _sha256_within_reach(self, release: Release) -> str:
        """Of its manifest. The ledger names a release by its id: workers look where releases stand, nowhere else."""
        sha256 = digest(release.folder / MANIFEST)
        try:
            self._shelf.take(release.id, sha256)
        except ReleaseError as error:
            raise PromotionRefused(
                f"workers would not find release {release.id} in {release.folder.parent}: copy its folder into "
                "the folder releases of TNG_HOME"
            ) from error
        return sha256

    def _row(self, last: Promotion, kind: PromotionKind, to: tuple[str, str], actor: str, reason: str) -> Promotion:
        """The next row; ``to`` is a release's id and the sha256 of its manifest."""
        now = max(self._clock.now(), last.at)  # a clock that went back must not hide the row from ``at``
        return Promotion(last.id + 1, now, kind, last.to_id, *to, actor, reason)

    def _tell(self, work: Work, row: Promotion) -> None:
        tell(work, notice_of(row), (), self._clock.now())


def notice_of(row: Promotion) -> Notice:
    """What an operator is told of a row."""
    kinds = {PromotionKind.ROLLED_BACK: NoticeKind.ROLLED_BACK, PromotionKind.CANARY: NoticeKind.CANARY_BREACH}
    title = f"Release {row.to_id} writes from now on"
    text = f"{row.from_id or 'nothing'} → {row.to_id} ({row.kind.value}), by {row.actor}: {row.reason}"
    facts = {"promotion": row.id, "from": row.from_id, "to": row.to_id, "actor": row.actor}
    return Notice(kinds.get(row.kind, NoticeKind.PROMOTED), title, text, row.at, facts)


def _reason(reason: str) -> str:
    words = " ".join(reason.split())
    if not words:
        raise PromotionRefused("a reason is needed: it is what the ledger says to those who come later")
    return words[:MOST_REASON_CHARACTERS]


def _refuse_overtaken(current: Promotion, expected: str | None) -> None:
    if expected is not None and current.to_id != expected:
        raise PromotionOvertaken(f"release {current.to_id} is current by now, and not {expected}: decide again")


def _proof(work: Work, release_id: str, evaluation_id: int | None) -> Evaluation | None:
    """The evaluation that is meant, or the last one of this release."""
    if evaluation_id is not None:
        return work.promotions.evaluation(evaluation_id)
    return next((one for one in work.promotions.evaluations() if one.candidate_id == release_id), None)


def _refuse_unproven(release_id: str, current_id: str, proof: Evaluation | None) -> None:
    if proof is None or proof.candidate_id != release_id:
        raise PromotionRefused(f"release {release_id} was never evaluated: retrain, or promote it with --unproven")
    if not proof.promote:
        raise PromotionRefused(f"release {release_id} did not pass its evaluation: {'; '.join(proof.reasons)}")
    if proof.champion_id != current_id:
        raise PromotionOvertaken(
            f"release {release_id} was found better than {proof.champion_id}, and {current_id} is current by now"
        )


def _way_back(history: Sequence[Promotion], to: str) -> Promotion:
    target = to or before(history)
    if target is None:
        raise PromotionRefused(
            f"there is no way back from {history[0].to_id}: name a release with --to, or promote one"
        )
    if target == history[0].to_id:
        raise PromotionRefused(f"release {target} is current already")
    row = next((row for row in history if row.to_id == target), None)
    if row is None:
        raise PromotionRefused(f"release {target} has never been current: promote it instead")
    return row


def _log(row: Promotion) -> None:
    words = "release: %s→%s (%s)"
    logger.info(words, row.from_id or "nothing", row.to_id, row.kind.value, extra=told(promotion=row.id))
