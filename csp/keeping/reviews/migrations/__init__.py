"""Migrations of the review record, run by alembic when a database is opened."""
