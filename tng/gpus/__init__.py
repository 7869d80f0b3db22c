"""Who gets which GPU, and for how long: the rules, the book, and a worker's claim."""
