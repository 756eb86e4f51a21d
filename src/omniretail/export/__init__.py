"""From a trained model to what others take over: ONNX, embeddings, an index of neighbours."""
