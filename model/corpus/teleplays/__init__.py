"""The operator's own teleplays: read from archives and folders, understood in four dialects, kept as episodes.

``sources`` opens what was given, ``decoding`` makes text of bytes, ``dialects`` recognises and reads it (``studio``,
``transcript``, ``fountain``, ``final_draft``), ``shelf`` keeps the episodes and ``importing`` is the whole way.
No text of a script ever leaves here by a log, a report or an error: line numbers and counts do.
"""

__all__: list[str] = []
