"""Nouns: frozen, comparable values that flow between the layers. No module in here decides, waits or reaches out."""
