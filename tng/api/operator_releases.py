"""The operator's routes to the releases: which one writes, how they compare, promote, roll back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from tng.api.operator_door import TheOperations, TheOperator, actor_of, asked, number_of, told_why
from tng.errors import PromotionRefused
from tng.promotion.promotions import Evaluation, Promotion
from tng.promotion.view import ReleasesView

NAME = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
Reason = Annotated[
    str,
    Field(min_length=1, max_length=2000, pattern=r"\S"),
    AfterValidator(lambda text: "".join(character if character.isprintable() else " " for character in text)),
]
"""Words of a person; the ledger refuses blank ones."""


class PromoteRequest(BaseModel):
    """Make ``release`` the one that writes; ``expected`` is what is current as far as the operator knows."""

    model_config = ConfigDict(strict=True)
    release: str = NAME
    reason: Reason
    expected: str = NAME
    unproven: bool = False


class RollBackRequest(BaseModel):
    """Make the release before ``expected`` current again, or ``to``, which must have been current once."""

    model_config = ConfigDict(strict=True)
    reason: Reason
    expected: str = NAME
    to: str = Field("", max_length=100, pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$")


def release_routes() -> APIRouter:
    """Releases, evaluations, and the two that change which release writes."""
    router = APIRouter()
    router.add_api_route("/releases", releases, methods=["GET"])
    router.add_api_route("/evaluations/{evaluation_id}", evaluation, methods=["GET"])
    router.add_api_route("/releases/promote", promote, methods=["POST"])
    router.add_api_route("/releases/rollback", roll_back, methods=["POST"])
    return router


def releases(_operator: TheOperator, operations: TheOperations) -> ReleasesView:
    """The releases at this moment."""
    return operations.releases.look()


def evaluation(_operator: TheOperator, operations: TheOperations, evaluation_id: str) -> Evaluation:
    """One evaluation, with what both releases wrote."""
    found = operations.releases.evaluation(number_of(evaluation_id))
    if found is None:
        raise HTTPException(404)
    return found


def promote(
    operator: TheOperator, operations: TheOperations, wish: Annotated[PromoteRequest, Depends(asked(PromoteRequest))]
) -> Promotion:
    """The row that says so."""
    with told_why():
        if not operations.releases.is_there(wish.release):
            raise PromotionRefused(f"there is no release {wish.release!r} on the shelf")
        return operations.ledger.promote(
            wish.release,
            actor=actor_of(operator),
            reason=wish.reason,
            expected=wish.expected,
            unproven=wish.unproven,
        )


def roll_back(
    operator: TheOperator, operations: TheOperations, wish: Annotated[RollBackRequest, Depends(asked(RollBackRequest))]
) -> Promotion:
    """The row that says so."""
    with told_why():
        return operations.ledger.roll_back(
            actor=actor_of(operator), reason=wish.reason, to=wish.to, expected=wish.expected
        )
