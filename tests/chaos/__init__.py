"""Everything is killed at every step, and what is found then."""
