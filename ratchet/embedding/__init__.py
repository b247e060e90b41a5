"""Embedding: texts as vectors that are near each other where the texts mean similar things."""

from ratchet.embedding.embeddings import Embeddings, VectorStore
from ratchet.embedding.model import EmbeddingModel
from ratchet.embedding.opening import open_model

__all__ = ["EmbeddingModel", "Embeddings", "VectorStore", "open_model"]
