"""The audit of orders, disputes, parts, promotion codes and retention; priorities; an inbox that is worked off.

Everything is added, and nothing taken away: a process of the release before goes on working beside it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
STATE = sa.String(16)


def upgrade() -> None:
    """Add the audit, and columns to orders, jobs, outbox and inbox."""
    _add_to_orders()
    _create_audit()
    op.add_column("jobs", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    op.drop_index("jobs_due", "jobs")
    op.create_index("jobs_due", "jobs", ["state", "priority", "ready_at"])
    op.add_column("outbox", sa.Column("owed_at", TIME, nullable=True))
    _widen_inbox()


def downgrade() -> None:
    """Take them away, with everything in them."""
    op.drop_index("inbox_due", "inbox")
    with op.batch_alter_table("inbox") as inbox:
        for name in ("session_id", "payment_intent_id", "order_id", "created_at", "received_at", "due_at", "tries"):
            inbox.drop_column(name)
    op.drop_column("outbox", "owed_at")
    op.drop_index("jobs_due", "jobs")
    op.create_index("jobs_due", "jobs", ["state", "ready_at"])
    op.drop_column("jobs", "priority")
    op.drop_table("audit")
    for index in ("orders_of_payment", "orders_to_erase"):
        op.drop_index(index, "orders")
    names = ("paid_cents", "is_part", "refund_attempt", "before_dispute", "trouble", "ended_at", "erased_at")
    for name in names:
        op.drop_column("orders", name)


def _add_to_orders() -> None:
    for column in (
        sa.Column("paid_cents", sa.Integer(), nullable=True),
        sa.Column("is_part", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("refund_attempt", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("before_dispute", STATE, nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("erased_at", TIME, nullable=True),
    ):
        op.add_column("orders", column)
    op.create_index("orders_of_payment", "orders", ["payment_intent_id"])
    op.create_index("orders_to_erase", "orders", ["erased_at", "ended_at"])
    op.execute(
        "UPDATE orders SET ended_at = COALESCE(delivered_at, paid_at, placed_at)"
        " WHERE state IN ('delivered', 'expired', 'refunded')"
    )


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("before", STATE, nullable=True),
        sa.Column("after", STATE, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_of_order", "audit", ["order_id", "id"])
    op.execute(
        "INSERT INTO audit (order_id, at, actor, why, after)"
        " SELECT id, placed_at, 'upgrade', 'the audit begins here', state FROM orders"
    )


def _widen_inbox() -> None:
    """What was handled stays so: an event is processed where ``handled_at`` is set."""
    with op.batch_alter_table("inbox") as inbox:
        inbox.alter_column("handled_at", existing_type=TIME, nullable=True)
        for column in (
            sa.Column("session_id", sa.String(255), nullable=True),
            sa.Column("payment_intent_id", sa.String(255), nullable=True),
            sa.Column("order_id", sa.String(64), nullable=True),
            sa.Column("created_at", TIME, nullable=True),
            sa.Column("received_at", TIME, nullable=True),
            sa.Column("due_at", TIME, nullable=True),
            sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        ):
            inbox.add_column(column)
    op.create_index("inbox_due", "inbox", ["handled_at", "due_at"])
