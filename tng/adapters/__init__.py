"""What talks to the world outside: the database, Stripe, papermill. Only `tng.app` constructs these."""
