"""The history of the tables, one file a step, run by ``tng.adapters.database.migrate``. Released steps never change."""

__all__: list[str] = []
