"""The quality report, part by part."""
