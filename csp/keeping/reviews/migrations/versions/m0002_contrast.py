"""The contrast rule that was on the screen. Older events have none: empty fields are not part of a hash."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """From the first version."""
    op.add_column("review_events", sa.Column("contrast", sa.Text))
