"""The ledger of releases, schedules and retrainings, and the release that each attempt at a job writes with."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
RELEASE = sa.String(255)


def upgrade() -> None:
    """Create the four tables, and add two columns to the jobs."""
    _create_ledger()
    _create_retrainings()
    op.add_column("jobs", sa.Column("release_id", RELEASE, nullable=True))
    op.add_column("jobs", sa.Column("promotion_id", sa.Integer(), nullable=True))
    op.create_index("jobs_of_promotion", "jobs", ["promotion_id"])


def _create_ledger() -> None:
    op.create_table(
        "promotions",
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("from_id", RELEASE, nullable=True),
        sa.Column("to_id", RELEASE, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evaluation_id", sa.Integer(), nullable=True),
    )
    op.create_index("promotions_at", "promotions", ["at", "id"])
    op.create_table(
        "evaluations",
        sa.Column("id", ID, primary_key=True, autoincrement=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("candidate_id", RELEASE, nullable=False),
        sa.Column("champion_id", RELEASE, nullable=False),
        sa.Column("promote", sa.Boolean(), nullable=False),
        sa.Column("retraining_id", sa.String(64), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("evaluations_of_candidate", "evaluations", ["candidate_id"])


def _create_retrainings() -> None:
    op.create_table(
        "schedules",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("cron", sa.String(255), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("settled_until_at", TIME, nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "retrainings",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("lane", sa.String(16), nullable=True),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("begun_at", TIME, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("schedule", sa.String(40), nullable=True),
        sa.Column("slot_at", TIME, nullable=True),
        sa.Column("coalesced", sa.Integer(), nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("fingerprint", sa.String(255), nullable=True),
        sa.Column("champion_id", RELEASE, nullable=True),
        sa.Column("candidate_id", RELEASE, nullable=True),
        sa.Column("evaluation_id", sa.Integer(), nullable=True),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.UniqueConstraint("lane", name="retrainings_one_open"),
        sa.UniqueConstraint("schedule", "slot_at", name="retrainings_one_a_slot"),
    )
    op.create_index("retrainings_begun", "retrainings", ["begun_at", "id"])


def downgrade() -> None:
    """Take them away. Which release wrote an order stays with the order."""
    op.drop_index("jobs_of_promotion", "jobs")
    op.drop_column("jobs", "promotion_id")
    op.drop_column("jobs", "release_id")
    for table in ("retrainings", "schedules", "evaluations", "promotions"):
        op.drop_table(table)
