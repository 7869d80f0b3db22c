"""What the notebooks of the workbench ask of the shop, in the name of the power user who runs them.

``account`` keeps what a run tells of itself, whoever tells it; ``orders`` asks the api. No text of a script is kept.
"""
