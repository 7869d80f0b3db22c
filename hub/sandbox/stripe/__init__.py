"""A local stand-in for Stripe: the part of its api that the shop uses, a payment page, and webhooks.

Not a payment service: it knows test cards only, says TEST MODE on every page, listens on loopback alone and
refuses every key that is not a test key. The product talks to it through Stripe's own SDK and cannot tell.

From the wire inwards: ``app`` (routes) · ``api`` and ``page`` (the two doors) · ``contract`` (what a request may
contain) · ``account`` (what happens; with ``refunds``, ``disputes``, ``promotions``, ``news``) · ``objects`` (what
things look like) · ``store`` (what is kept) · ``webhooks``. ``control`` and ``faults`` are for tests: bad days.
"""

__all__: list[str] = []
