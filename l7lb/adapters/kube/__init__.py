"""The Kubernetes API: transport, typed decoding, list and watch, and the few writes that this product makes.

The `kubernetes` package loads configuration, authenticates and owns the connection pool; everything above raw bytes is
decided here. Its API classes, models, informer and leader election stay unused.
"""
