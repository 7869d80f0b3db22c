"""The steps themselves, in the order of their names."""

__all__: list[str] = []
