"""The commands of ``python -m model``, one file a group."""
