"""What customers make of their scripts: editions of the whole, and scenes written again. Originals stay in orders."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables; both are empty, and an order without a row has its original alone."""
    op.create_table(
        "editions",
        sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("script_text", sa.Text, nullable=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
    )
    op.create_table(
        "takes",
        sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.id"), primary_key=True),
        sa.Column("scene", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("release_id", sa.String(255), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("takes")
    op.drop_table("editions")
