"""The engine: its graph against numpy, its slots, its exports, its decode loop."""
