"""The house: who comes in, and what is started for them. It knows no order and no model."""
