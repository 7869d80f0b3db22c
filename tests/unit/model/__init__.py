"""The writer, without TensorFlow."""
