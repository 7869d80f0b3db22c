"""Local stand-ins for the two companies that the product talks to. For demonstration and tests, never production."""

__all__: list[str] = []
