"""The orders database: SQLAlchemy over SQLite (WAL) or PostgreSQL. It knows rows and locks, and no rules of orders."""

__all__ = ["engine", "gpus", "migrate", "records", "repositories", "store"]
