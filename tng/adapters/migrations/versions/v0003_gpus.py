"""Who holds which GPU, who waits for one, and how many hours each has used."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

GROWING_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables; nothing that was there changes."""
    op.create_table(
        "gpu_claims",
        sa.Column("host", sa.String(255), primary_key=True),
        sa.Column("gpu", sa.String(255), primary_key=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("since_at", TIME, nullable=False),
        sa.Column("until_at", TIME, nullable=False),
    )
    op.create_index("gpu_claims_of_holder", "gpu_claims", ["holder", "kind"])
    op.create_table(
        "gpu_wishes",
        sa.Column("holder", sa.String(255), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since_at", TIME, nullable=False),
        sa.Column("until_at", TIME, nullable=False),
    )
    op.create_table(
        "gpu_uses",
        sa.Column("id", GROWING_ID, primary_key=True, autoincrement=True),
        sa.Column("holder", sa.String(255), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("begin_at", TIME, nullable=False),
        sa.Column("end_at", TIME, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("gpu_uses_of_holder", "gpu_uses", ["holder", "end_at"])


def downgrade() -> None:
    """Take them away, with everything in them."""
    for table in ("gpu_uses", "gpu_wishes", "gpu_claims"):
        op.drop_table(table)
