"""A script as a file to take along: PDF, Final Draft, Fountain, EPUB and text. It knows no order and no web page."""

__all__ = ["colophon", "epub", "fdx", "formats", "fountain", "glyphs", "layout", "pages", "pdf", "pieces", "text"]
