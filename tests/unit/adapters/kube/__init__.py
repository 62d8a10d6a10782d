"""Tests of the Kubernetes adapter: tables and properties without a socket, and a raw server that breaks its answers."""
