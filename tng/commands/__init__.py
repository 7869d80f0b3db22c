"""The commands of ``tng`` that are more than a few lines, one file a group."""
