"""Pictures to tokens: vit, rag, attention_cnn, cnn; named sizes."""
