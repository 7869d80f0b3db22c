"""The customer's page as widgets, and a client of the api. It holds no secret, decides nothing and reaches no database.

Every widget value comes from a browser that may say anything: it is sent to the api, which decides.
"""

__all__ = ["client", "page", "request"]
