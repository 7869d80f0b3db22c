"""Figures of the running product; ``make bench`` prints them."""
