"""From a run to what others use: registered versions and their gate, ONNX, embeddings, an index of items."""
