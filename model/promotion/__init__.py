"""The gate: a candidate release held against the champion, by eight checks. It decides nothing about who writes.

``files`` and ``probing`` (with ``probe`` in a process of its own) say whether a release can be measured at all,
``held_out`` and ``samples`` measure it, ``evaluation`` puts both releases into one file, ``checks`` and ``verdict``
judge that file, ``pages`` shows it. ``script_measures`` is what customers' scripts are measured by, too.
"""

__all__: list[str] = []
