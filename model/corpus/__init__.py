"""Training text: the bank of scenes or the operator's teleplays, the names in them, and the arrays of tokens.

The demonstration corpus comes from ``scenebank`` by ``assembler`` and ``training_text``; an imported one from
``teleplays`` by ``splits``, ``guests``, ``episode_records`` and ``imported_text``. Both leave the same files.
"""

__all__: list[str] = []
