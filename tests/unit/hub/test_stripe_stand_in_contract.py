"""What a request to the stand-in for Stripe may contain, and how it is refused."""

from __future__ import annotations

import pytest
from stripe import params as shapes
from stripe.params.checkout import SessionCreateParams

from hub.sandbox.stripe import contract, rules
from hub.sandbox.stripe.wire import Refusal, parse_form

NOW = 2_000_000_000.0


def refusal_of(shape: type, text: str) -> Refusal:
    """The refusal that a form meets."""
    with pytest.raises(Refusal) as caught:
        contract.read(shape, parse_form(text))
    return caught.value


def test_nested_fields_become_objects_lists_and_numbers() -> None:
    form = parse_form(
        "mode=payment&line_items[1][quantity]=2&line_items[0][quantity]=1&metadata[0]=zero&metadata[a]=b"
        "&allow_promotion_codes=true&payment_intent_data[metadata][order_id]=o1&expires_at=12&expand[]=line_items"
    )
    assert contract.read(SessionCreateParams, form) == {
        "mode": "payment",
        "line_items": [{"quantity": 1}, {"quantity": 2}],
        "metadata": {"0": "zero", "a": "b"},
        "allow_promotion_codes": True,
        "payment_intent_data": {"metadata": {"order_id": "o1"}},
        "expires_at": 12,
        "expand": ["line_items"],
    }


@pytest.mark.parametrize(
    ("text", "code", "param"),
    [
        pytest.param("payment_method_types[0]=card", "parameter_unknown", "payment_method_types", id="removed-in-16"),
        pytest.param("ui_mode=hosted", "parameter_invalid", "ui_mode", id="old-word"),
        pytest.param("idempotency_key=k", "parameter_unknown", "idempotency_key", id="option-of-the-sdk"),
        pytest.param("expires_at=soon", "parameter_invalid_integer", "expires_at", id="no-number"),
        pytest.param("expires_at=%D9%A3", "parameter_invalid_integer", "expires_at", id="arabic-digit"),
        pytest.param("expires_at=" + "9" * 5000, "parameter_invalid_integer", "expires_at", id="endless-number"),
        pytest.param("line_items=x", "parameter_invalid", "line_items", id="text-for-a-list"),
        pytest.param("line_items[a][quantity]=1", "parameter_invalid", "line_items", id="word-for-a-place"),
        pytest.param("cancel_url[a]=1", "parameter_invalid", "cancel_url", id="object-for-a-text"),
        pytest.param("metadata=x", "parameter_invalid", "metadata", id="text-for-an-object"),
        pytest.param("metadata[a][b]=x", "parameter_invalid", "metadata[a]", id="too-deep"),
        pytest.param("allow_promotion_codes=1", "parameter_invalid", "allow_promotion_codes", id="no-truth"),
        pytest.param("mode=payment&mode[a]=b", "parameter_invalid", "mode[a]", id="value-and-container"),
        pytest.param(
            "line_items[0][price_data][unit_amount]=300",
            "parameter_missing",
            "line_items[0][price_data][currency]",
            id="required-inside",
        ),
        pytest.param("&".join(f"metadata[{n}]=x" for n in range(1_001)), "parameter_invalid", "", id="too-many-fields"),
    ],
)
def test_what_stripe_would_refuse_is_refused_with_its_code(text: str, code: str, param: str) -> None:
    refusal = refusal_of(SessionCreateParams, text)
    assert (refusal.status, refusal.error["code"], refusal.error.get("param", "")) == (400, code, param)
    assert not refusal.remembered


def test_a_required_parameter_is_named() -> None:
    assert refusal_of(shapes.WebhookEndpointCreateParams, "url=http://x").error["param"] == "enabled_events"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("created=5", {"created": 5}, id="a-moment"),
        pytest.param("created[gte]=5", {"created": {"gte": 5}}, id="a-span"),
        pytest.param("delivery_success=false", {"delivery_success": False}, id="a-truth"),
        pytest.param("types[0]=a&types[1]=b", {"types": ["a", "b"]}, id="a-list"),
    ],
)
def test_a_list_is_asked_for_in_the_words_of_the_sdk(text: str, expected: dict[str, object]) -> None:
    assert contract.read(shapes.EventListParams, parse_form(text)) == expected


def test_an_alternative_of_shapes_complains_about_the_nearest() -> None:
    assert refusal_of(shapes.EventListParams, "created=x").error["code"] == "parameter_invalid_integer"
    assert refusal_of(shapes.EventListParams, "created[when]=1").error["param"] == "created[when]"


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "//shop.test", "shop.test/x", "http://", "http://a b", "data:text/html,x", "http://[x"],
)
def test_a_browser_is_sent_to_web_addresses_alone(url: str) -> None:
    with pytest.raises(Refusal, match="Not a valid URL"):
        rules.web_address(url, "cancel_url")


@pytest.mark.parametrize(
    ("change", "param"),
    [
        pytest.param({"mode": "subscription"}, "mode", id="another-mode"),
        pytest.param({"ui_mode": "elements"}, "ui_mode", id="another-page"),
        pytest.param({"expires_at": int(NOW) + 60}, "expires_at", id="closes-too-soon"),
        pytest.param({"expires_at": int(NOW) + 90_000}, "expires_at", id="closes-too-late"),
        pytest.param({"client_reference_id": "x" * 201}, "client_reference_id", id="long-reference"),
        pytest.param({"metadata": {str(n): "" for n in range(51)}}, "metadata", id="much-metadata"),
        pytest.param({"metadata": {"a": "x" * 501}}, "metadata", id="long-metadata"),
        pytest.param({"customer_creation": "always"}, "customer_creation", id="known-to-stripe-alone"),
        pytest.param(
            {"payment_intent_data": {"statement_descriptor_suffix": "123"}},
            "payment_intent_data[statement_descriptor_suffix]",
            id="descriptor-without-a-letter",
        ),
        pytest.param(
            {"payment_intent_data": {"statement_descriptor": "TNG"}},
            "payment_intent_data[statement_descriptor]",
            id="descriptor-that-cards-do-not-take",
        ),
        pytest.param({"allowed_payment_method_types": ["sofort"]}, "allowed_payment_method_types", id="no-cards"),
    ],
)
def test_a_session_that_breaks_a_rule_is_refused(change: dict[str, object], param: str) -> None:
    params = {"mode": "payment", "success_url": "http://shop.test/"}
    rules.session(dict(params), NOW)  # the control: without the change it is good
    with pytest.raises(Refusal) as caught:
        rules.session({**params, **change}, NOW)
    assert caught.value.error["param"] == param


def line(**change: object) -> dict[str, object]:
    """One line of a session, good unless changed."""
    return {"price_data": {"currency": "USD", "unit_amount": 299, "product_data": {"name": "n"}, **change}}


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([], id="none"),
        pytest.param([{"price": "price_1"}], id="a-stored-price"),
        pytest.param([line(unit_amount=-1)], id="negative"),
        pytest.param([line(unit_amount=10**8)], id="enormous"),
        pytest.param([line(product_data={"name": " "})], id="nameless"),
        pytest.param([line(currency="dollars")], id="no-currency"),
        pytest.param([line(), line(currency="eur")], id="two-currencies"),
        pytest.param([line() | {"quantity": 0}], id="none-of-it"),
    ],
)
def test_lines_that_cannot_be_sold_are_refused(items: list[dict[str, object]]) -> None:
    assert rules.lines({"line_items": [line()]}) == "usd"
    with pytest.raises(Refusal):
        rules.lines({"line_items": items})


@pytest.mark.parametrize(("cents", "code"), [(49, "amount_too_small"), (10**8, "amount_too_large")])
def test_the_total_has_a_least_and_a_most(cents: int, code: str) -> None:
    rules.total(50, "usd")
    with pytest.raises(Refusal) as caught:
        rules.total(cents, "usd")
    assert caught.value.error["code"] == code
