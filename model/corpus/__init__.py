"""Training text: the bank of scenes, the names that fill it, the episodes made of it, and the arrays of tokens."""

__all__: list[str] = []
