"""What guests are called by now, beside each edition: a scene that is written later is given their new names."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column. Editions made before knew of no names."""
    with op.batch_alter_table("editions") as table:
        table.add_column(sa.Column("names", sa.JSON, nullable=False, server_default=sa.text("'{}'")))


def downgrade() -> None:
    """Take it away."""
    with op.batch_alter_table("editions") as table:
        table.drop_column("names")
