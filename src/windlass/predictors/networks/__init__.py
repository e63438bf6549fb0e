"""ONNX graphs: what may stand in one, and how it runs."""
