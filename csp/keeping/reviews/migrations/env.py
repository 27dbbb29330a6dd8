"""Run by alembic: migrates over the connection that it is given, inside that connection's transaction."""

from alembic import context

from csp.keeping.reviews.schema import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
