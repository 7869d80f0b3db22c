"""The product: orders, payments, jobs and scripts. No TensorFlow, no JupyterHub; it imports neither hub nor model.

Words, each with one meaning and no synonym:

    Episode             a source teleplay in the corpus
    Premise             what the customer asks for: title, logline, cast, tone, length, seed
    Script              the product: Script ▸ Act ▸ Scene ▸ Element
    Element             a heading, action, speech (cue, extension, parenthetical, dialogue), shot or transition
    Order               PLACED → PAID → WRITING → DELIVERED, or EXPIRED, or → REFUNDING → REFUNDED; DISPUTED freezes it
    Checkout, Payment   the page at Stripe; money that arrived. A checkout is not a payment
    Job, Run            owed work, a row; one attempt at it, a notebook
    Corpus              text to learn from
    Checkpoint          weights in gpt-2-simple's format, private
    Release             a checkpoint that was evaluated: immutable, named, servable
    Show                a folder that makes the product write another series; TNG is the first

"model" means the language model only; objects of the database are records. Names carry their units: ``_cents``,
``_seconds``, ``_tokens``, ``_at`` (aware UTC).
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
