"""How far a list of somebody else's was read: a house that was down goes on there, and not somewhere before."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table. Nothing was written down before: the first look goes back as far as it can."""
    op.create_table(
        "bookmarks",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("bookmarks")
