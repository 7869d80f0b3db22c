"""The first tables: orders, jobs and what their runs say, the outbox and the inbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GROWING_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create them."""
    _create_orders()
    _create_jobs()
    _create_job_events()
    _create_outbox()
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.String(255), primary_key=True),
        sa.Column("type", sa.String(255), nullable=False),
        sa.Column("handled_at", TIME, nullable=False),
    )


def downgrade() -> None:
    """Take them away, with everything in them."""
    for table in ("inbox", "outbox", "job_events", "jobs", "orders"):
        op.drop_table(table)


def _create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("customer", sa.String(255), nullable=False),
        sa.Column("request_key", sa.String(255), nullable=False),
        sa.Column("premise", sa.JSON(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("placed_at", TIME, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("checkout_attempt", sa.Integer(), nullable=False),
        sa.Column("checkout_session_id", sa.String(255), unique=True),
        sa.Column("checkout_url", sa.Text()),
        sa.Column("checkout_expires_at", TIME),
        sa.Column("payment_intent_id", sa.String(255)),
        sa.Column("paid_at", TIME),
        sa.Column("delivered_at", TIME),
        sa.Column("release_id", sa.String(255)),
        sa.Column("script_text", sa.Text()),
        sa.Column("run_sha256", sa.String(64)),
        sa.UniqueConstraint("customer", "request_key", name="orders_request"),
    )
    op.create_index("orders_of_customer", "orders", ["customer", "placed_at"])
    op.create_index("orders_in_state", "orders", ["state", "placed_at"])


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", GROWING_ID, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(255), nullable=False, unique=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.id")),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("given_back", sa.Integer(), nullable=False),
        sa.Column("ready_at", TIME),
        sa.Column("lease_until", TIME),
        sa.Column("worker", sa.String(255)),
        sa.Column("error", sa.Text()),
        sqlite_autoincrement=True,
    )
    op.create_index("jobs_of_order", "jobs", ["order_id"])
    op.create_index("jobs_due", "jobs", ["state", "ready_at"])


def _create_job_events() -> None:
    op.create_table(
        "job_events",
        sa.Column("id", GROWING_ID, primary_key=True, autoincrement=True),
        sa.Column("job_id", GROWING_ID, sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("said_at", TIME, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("job_events_heard", "job_events", ["job_id", "id"])


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", GROWING_ID, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(255), nullable=False, unique=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_due", "outbox", ["done", "due_at"])
