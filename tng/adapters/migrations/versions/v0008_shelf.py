"""What customers do to their orders beside the orders' story: own names, a bin, links to read a script by."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables; both are empty, and an order without a row is an ordinary one."""
    op.create_table(
        "shelf",
        sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.id"), primary_key=True),
        sa.Column("title", sa.String(80), nullable=True),
        sa.Column("binned_at", TIME, nullable=True),
    )
    op.create_index("shelf_binned", "shelf", ["binned_at"])
    op.create_table(
        "shares",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("shares_of_order", "shares", ["order_id", "id"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("shares")
    op.drop_table("shelf")
