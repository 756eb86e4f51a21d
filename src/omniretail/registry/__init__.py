"""From a run to what others take over: registered versions and their gate, ONNX, embeddings, an index of items."""
