"""What a registered model is handed over as: ONNX, embeddings, an ANN index."""
