"""Money on its way: what Stripe reports, what a payment does to its order, and what is given back."""
