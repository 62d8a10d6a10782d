"""The image: its Dockerfile as data, and its steps tried where there is nothing that builds images."""
