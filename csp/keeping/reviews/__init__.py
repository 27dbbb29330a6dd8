"""The review record: what people decided about neurons, append-only, each event sealed with a hash.

`store.Reviews` is the way in. SQLAlchemy is imported when a database is first touched, not before.
"""
