"""The Helm chart with the real Helm: what it renders, refuses and installs."""
