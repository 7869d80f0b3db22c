"""What a payment must be to count for an order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.samples import an_order
from tng.errors import PaymentMismatch
from tng.payments import CheckoutStatus, Payment, Price, check_payment

ORDER = an_order(checkout_session_id="cs_1")
RIGHT = Payment(
    session_id="cs_1",
    order_id=ORDER.id,
    status=CheckoutStatus.COMPLETE,
    paid=True,
    amount_cents=299,
    currency="usd",
    livemode=False,
)


def test_the_right_payment_passes() -> None:
    check_payment(ORDER, RIGHT, livemode=False)


def test_a_currency_is_the_same_in_capitals() -> None:
    check_payment(ORDER, replace(RIGHT, currency="USD"), livemode=False)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        pytest.param(replace(RIGHT, session_id="cs_2"), "session", id="session"),
        pytest.param(replace(RIGHT, order_id="ord_2"), "order", id="owner"),
        pytest.param(replace(RIGHT, order_id=None), "order", id="no-owner"),
        pytest.param(replace(RIGHT, amount_cents=298), "amount_cents", id="too-little"),
        pytest.param(replace(RIGHT, amount_cents=300), "amount_cents", id="too-much"),
        pytest.param(replace(RIGHT, currency="eur"), "currency", id="currency"),
        pytest.param(replace(RIGHT, livemode=True), "livemode", id="live-money-for-a-test"),
    ],
)
def test_a_wrong_payment_is_refused_and_the_log_says_why(wrong: Payment, named: str) -> None:
    with pytest.raises(PaymentMismatch, match=named):
        check_payment(ORDER, wrong, livemode=False)


def test_test_money_is_refused_for_a_live_order() -> None:
    with pytest.raises(PaymentMismatch, match="livemode"):
        check_payment(ORDER, RIGHT, livemode=True)


def test_a_price_is_read_by_people() -> None:
    assert str(Price(299)) == "2.99 USD"
