"""How good scripts are, without a large model: measures with bands, controls that must fail them, and the report.

``measures`` counts on a script, ``copied_runs`` against the training text, ``bleu`` within a batch, ``perplexity`` asks
the network. ``bands`` says what is usual, ``controls`` writes what must be noticed, ``report`` puts them side by side;
``plots`` and ``pages`` show it. No surface measure sees a plot: somebody must read a few scripts of every release.
"""
