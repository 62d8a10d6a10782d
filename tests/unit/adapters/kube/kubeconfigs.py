"""Kubeconfig files for tests."""

from pathlib import Path
from typing import Any

import yaml

from l7lb.adapters.kube.credentials import Source


def kubeconfig(folder: Path, server: str, user: dict[str, Any] | None = None, authority: str = "") -> Source:
    """Write a kubeconfig with one user and say where it is."""
    path = folder / "kubeconfig"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [
            {"name": "c", "cluster": {"server": server} | ({"certificate-authority": authority} if authority else {})}
        ],
        "users": [{"name": "u", "user": user or {}}],
    }
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return Source(kubeconfig=str(path))
