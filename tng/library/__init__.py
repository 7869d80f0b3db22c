"""What a customer does with an order that is theirs: names it, shares it, throws it away, reworks its script."""
