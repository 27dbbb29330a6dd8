"""Events, head and claims; triggers that let events only be appended, in order."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SQLITE = (
    """CREATE TRIGGER review_events_no_update BEFORE UPDATE ON review_events
    BEGIN SELECT RAISE(ABORT, 'review events are append-only'); END""",
    """CREATE TRIGGER review_events_no_delete BEFORE DELETE ON review_events
    BEGIN SELECT RAISE(ABORT, 'review events are append-only'); END""",
    """CREATE TRIGGER review_events_in_order BEFORE INSERT ON review_events
    WHEN NEW.sequence <> (SELECT COALESCE(MAX(sequence), 0) + 1 FROM review_events)
    BEGIN SELECT RAISE(ABORT, 'review events are append-only, without gaps'); END""",
)
_POSTGRESQL = (
    """CREATE FUNCTION review_events_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'review events are append-only'; END $$""",
    """CREATE FUNCTION review_events_check_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.sequence <> (SELECT COALESCE(MAX(sequence), 0) + 1 FROM review_events) THEN
        RAISE EXCEPTION 'review events are append-only, without gaps'; END IF;
    RETURN NEW; END $$""",
    """CREATE TRIGGER review_events_no_change BEFORE UPDATE OR DELETE ON review_events
    FOR EACH ROW EXECUTE FUNCTION review_events_refuse()""",
    """CREATE TRIGGER review_events_no_truncate BEFORE TRUNCATE ON review_events
    FOR EACH STATEMENT EXECUTE FUNCTION review_events_refuse()""",
    """CREATE TRIGGER review_events_in_order BEFORE INSERT ON review_events
    FOR EACH ROW EXECUTE FUNCTION review_events_check_order()""",
)


def upgrade() -> None:
    """From an empty database."""
    _create_events()
    head = op.create_table(
        "review_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "sequence": 0, "hash": "0" * 64}])
    op.create_table(
        "review_claims",
        sa.Column("run_fingerprint", sa.Text, primary_key=True),
        sa.Column("layer", sa.Text, primary_key=True),
        sa.Column("neuron", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("reviewer", sa.Text, nullable=False),
        sa.Column("reviewer_verified", sa.Boolean, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)


def _create_events() -> None:
    op.create_table(
        "review_events",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("run_fingerprint", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("layer", sa.Text, nullable=False),
        sa.Column("neuron", sa.Integer, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("label_before", sa.Text),
        sa.Column("machine_label", sa.Text),
        sa.Column("reviewer", sa.Text, nullable=False),
        sa.Column("reviewer_verified", sa.Boolean, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("labeler", sa.Text),
        sa.Column("gamma", sa.Double),
        sa.Column("examples", sa.Integer),
        sa.Column("blind", sa.Boolean, nullable=False),
        sa.Column("app_version", sa.Text),
        sa.Column("token", sa.Text, nullable=False, unique=True),
        sa.Column("undoes", sa.Text),
        sa.Column("seen", sa.Text),
        sa.Column("imported", sa.Text),
        sa.Column("previous_hash", sa.Text, nullable=False, unique=True),
        sa.Column("hash", sa.Text, nullable=False, unique=True),
    )
    op.create_index("review_events_of_neuron", "review_events", ["run_fingerprint", "layer", "neuron"])
