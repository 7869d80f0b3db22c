"""Which release writes, and why: the shelf where releases stand, the ledger, and the watch over a new one."""
