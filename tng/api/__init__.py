"""The FastAPI service under /services/api: the only holder of the Stripe keys and of the orders database.

It decides who may do what. It draws no page of the product, and runs no notebook.
"""

__all__ = ["auth", "background", "events", "metrics", "operator", "orders", "payments", "service", "views"]
