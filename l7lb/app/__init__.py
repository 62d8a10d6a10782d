"""Configuration and wiring: the only package that knows concrete classes of both edges and of the core."""
