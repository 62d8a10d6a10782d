"""The Kubernetes adapter against an API server that somebody else wrote."""
