"""What the notebooks of the workbench call: to look at a corpus, to put releases side by side, to write, to train.

It is glue for people in JupyterLab: most functions show something, or give a widget. Whatever a network, a corpus or a
person has written is shown as text and never becomes markup: the reader sets it as text, tables and labels escape it.
"""
