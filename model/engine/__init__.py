"""The engine that computes: our own GPT-2 graph on ONNX Runtime, and a decode loop of our own over it.

``graph`` builds the graph of a checkpoint, ``export`` keeps it as a file, ``slots`` feeds tokens into rows of its
cache, ``decode`` draws many texts at once. It knows no screenplay and loads no TensorFlow.
"""

__all__: list[str] = []
