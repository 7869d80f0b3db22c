"""Retrainings: when one is due, what each of its steps is given, and what its decision means. Runs in the scheduler."""
