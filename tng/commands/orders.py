"""``tng orders``: what became of an order, and what an operator does about it. The api gives money back; this owes it.

Neither a premise nor a script is shown unless somebody asks for it by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from tng.app import build_store, clock_of
from tng.commands.group import operator
from tng.jobs import Errand, Job
from tng.money.refunds import Refunds
from tng.order_desk import OrderDesk, OrderFile
from tng.orders import Move, Order, OrderState
from tng.settings import Settings

REASON = click.option("--reason", required=True, help="why, for the audit; no word about the customer")


@click.group()
def orders() -> None:
    """Look at orders, give money back, let one go first. No premise and no script is shown: they are the customer's."""


@orders.command("list")
@click.option("--state", type=click.Choice([state.value for state in OrderState]), help="only those in this state")
@click.option("--trouble", is_flag=True, help="only those about which an operator must do something")
@click.option("--customer", help="only those of this user of the hub")
def list_orders(state: str | None, trouble: bool, customer: str | None) -> None:
    """List orders, the oldest first."""
    states = [OrderState(state)] if state else []
    with build_store(Settings.read()).read() as work:
        found = work.orders.listed(*states, customer=customer, troubled=trouble)
    for order in found:
        line = f"{order.id}  {order.state.value:<10}  {order.placed_at:%Y-%m-%d %H:%M:%S}  {order.customer}"
        click.echo(f"{line}  {order.trouble}" if order.trouble else line)
    click.echo(f"{len(found)} orders", err=True)


@orders.command("show")
@click.argument("order_id")
@click.option("--text", is_flag=True, help="with the premise and the script, which are the customer's")
def show_order(order_id: str, text: bool) -> None:
    """Show what became of one order: its money, the job that writes it, who moved it why, and what is owed."""
    file = OrderDesk(build_store(Settings.read())).look_up(order_id)
    for name, value in order_lines(file):
        click.echo(f"{name:<16}{value}")
    if text:
        click.echo()
        for name, value in file.order.premise.to_fields().items():
            click.echo(f"{name:<16}{value}")
        click.echo(f"\n{file.order.script_text or 'No script.'}")


@orders.command("refund")
@click.argument("order_id")
@REASON
def refund(order_id: str, reason: str) -> None:
    """Owe the customer the whole price; where a refund did not work, try it once more. The api does it in seconds."""
    order = _refunds().refund(order_id, by=operator(), why=reason)
    click.echo(f"{order.id} is {order.state.value}: the api gives the money back.")


@orders.command("settle")
@click.argument("order_id")
@REASON
def settle(order_id: str, reason: str) -> None:
    """Say that the money of a refund was given back another way: nobody owes it any more."""
    order = _refunds().settle(order_id, by=operator(), why=reason)
    click.echo(f"{order.id} is {order.state.value}.")


@orders.command("hurry")
@click.argument("order_id")
def hurry(order_id: str) -> None:
    """Let an order that waits be written before the others."""
    place = OrderDesk(build_store(Settings.read())).hurry(order_id)
    click.echo(f"{order_id} is next." if place == 0 else f"{order_id}: {place} are before it.")


def order_lines(file: OrderFile) -> list[tuple[str, Any]]:
    """What may be shown of an order, as (name, value)."""
    lines = [*_about_order(file.order), *(_about_job(file.job, file.place) if file.job else ())]
    return [*lines, *map(_move_line, file.history), *map(_errand_line, file.errands)]


def _about_order(order: Order) -> Iterator[tuple[str, Any]]:
    yield from (("order", order.id), ("customer", order.customer), ("state", order.state.value))
    if order.trouble:
        yield "trouble", order.trouble
    currency = order.currency.upper()
    yield "price", f"{order.amount_cents / 100:.2f} {currency}"
    if order.paid_cents is not None:
        yield "received", f"{order.paid_cents / 100:.2f} {currency}"
    yield from (("checkout", order.checkout_session_id or "-"), ("payment", order.payment_intent_id or "-"))
    times = {"placed": order.placed_at, "paid": order.paid_at, "delivered": order.delivered_at}
    yield from ((name, _time(at)) for name, at in times.items())
    yield from ((name, _time(at)) for name, at in (("ended", order.ended_at), ("erased", order.erased_at)) if at)
    yield "release", order.release_id or "-"
    if order.is_part:
        yield "script", "a part: its customer stopped the writing"


def _about_job(job: Job, place: int | None) -> Iterator[tuple[str, Any]]:
    yield "job", f"{job.id}, {job.state.value}" + ("" if place is None else f", {place} before it")
    yield "attempts", f"{job.attempt}, of them failed: {job.failures}"
    yield "error", job.error or "-"


def _move_line(move: Move) -> tuple[str, str]:
    before = f"{move.before.value} → " if move.before else ""
    return "move", f"{_time(move.at)}  {before}{move.after.value}, by {move.actor}: {move.why}"


def _errand_line(errand: Errand) -> tuple[str, str]:
    return "errand", f"{errand.key}, {'done' if errand.done else 'owed'}, tried {errand.tries} times"


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else "-"


def _refunds() -> Refunds:
    settings = Settings.read()
    store = build_store(settings)
    return Refunds(store, clock_of(store), mails=settings.mail_customers)
