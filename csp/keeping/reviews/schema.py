"""The tables of the review record as they are after the newest migration."""

from sqlalchemy import Boolean, Column, Double, Index, Integer, MetaData, Table, Text

REVISIONS = ("0001", "0002")
"""The migrations in order; each is a file of `migrations/versions` that never changes again."""

VERSION_TABLE = "review_version"

METADATA = MetaData()

EVENTS = Table(
    "review_events",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("run_fingerprint", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("layer", Text, nullable=False),
    Column("neuron", Integer, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("label", Text),
    Column("label_before", Text),
    Column("machine_label", Text),
    Column("reviewer", Text, nullable=False),
    Column("reviewer_verified", Boolean, nullable=False),
    Column("role", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("labeler", Text),
    Column("gamma", Double),
    Column("examples", Integer),
    Column("blind", Boolean, nullable=False),
    Column("app_version", Text),
    Column("token", Text, nullable=False, unique=True),
    Column("undoes", Text),
    Column("seen", Text),
    Column("imported", Text),
    Column("previous_hash", Text, nullable=False, unique=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("contrast", Text),
    Index("review_events_of_neuron", "run_fingerprint", "layer", "neuron"),
)

HEAD = Table(
    "review_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", Integer, nullable=False),
    Column("hash", Text, nullable=False),
)
"""One row: the newest event. Writers lock it, so that they queue; verification compares it."""

CLAIMS = Table(
    "review_claims",
    METADATA,
    Column("run_fingerprint", Text, primary_key=True),
    Column("layer", Text, primary_key=True),
    Column("neuron", Integer, primary_key=True, autoincrement=False),
    Column("reviewer", Text, nullable=False),
    Column("reviewer_verified", Boolean, nullable=False),
    Column("at", Text, nullable=False),
)
"""Who works on which neuron just now: no decision, so not an event."""
