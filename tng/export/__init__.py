"""A script as a file to take along: the printed page as plain text, and Fountain. It knows no order and no web page."""

__all__ = ["fountain", "layout", "text"]
