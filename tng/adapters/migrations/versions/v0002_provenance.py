"""How a script came about, beside the script. Rows from before, and orders not yet delivered, say nothing: NULL."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: what is there stays as it is, and workers of the version before do not mind it."""
    op.add_column("orders", sa.Column("provenance", sa.JSON()))


def downgrade() -> None:
    """Take it away, with what it says."""
    op.drop_column("orders", "provenance")
