"""Authors of Ingresses that have a load balancer of their own, or borrow one: forms, edits, mistakes and their mending.

Who no longer asks for redirects says so (`"false"`): without a word they would stay, which is another matter.
"""

import json
import random
from collections.abc import Mapping
from typing import Final

from tests.simulation import asking, manifests
from tests.simulation.belonging import CLASS, NAMED
from tests.simulation.deeds import EXITS_MAX, LENT
from tests.simulation.manifests import Json
from tests.simulation.world import World

NAMES: Final = ("shop", "blog", "wiki")
HOSTS: Final = ("a.example.com", "b.example.com")
PATHS: Final = ("/", "/x", "/y")
BY_NODE, BY_POD = ("web", "api"), ("pods", "green")
LAYOUTS: Final = ("plain", "plain", "tls", "two", "both", "odd", "auto", "auto", "mixed", "led")
SECURE: Final = ("tls", "two", "both", "auto", "mixed", "led")
MISTAKES: Final = ("ports", "service", "path", "secret")
Said = dict[str, str | None]


class Authors:
    """Each deed is one edit of one Ingress."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world = world
        self.dice = dice
        self._exits = 0

    def create(self) -> str:
        name = self.dice.choice(NAMES)
        if self.world.users.find(name) is not None:
            return self.edit()
        fixed: Said = {NAMED: self.dice.choice(LENT)} if self.dice.random() < 0.3 else {}
        if self.dice.random() < 0.4:
            fixed[asking.DIRECT] = "true"
        layout, spec, said = self._form(fixed)
        annotations = {key: value for key, value in (fixed | said).items() if value is not None}
        made = manifests.ingress(name, annotations=annotations)
        made["spec"] = {key: value for key, value in spec.items() if value is not None}
        self.world.users.create(made)
        return f"create {name}: {layout} {fixed} {manifests.words(spec['rules'])} {spec['tls']}"

    def edit(self) -> str:
        """Also mends whatever was wrong."""
        name = self._living()
        if not name:
            return "nothing to edit"
        before = self.world.users.ingress(name).annotations
        layout, spec, said = self._form(before)
        self.world.users.patch({"metadata": {"annotations": said}, "spec": spec}, name)
        return f"edit {name}: {layout} {manifests.words(spec['rules'])} {spec['tls']}"

    def blunder(self) -> str:
        name = self._living()
        if not name:
            return "nothing to spoil"
        what = self.dice.choice(MISTAKES)
        found = self.world.users.ingress(name).json["spec"]
        if what == "ports":
            self.world.users.annotate({asking.PORTS: "[{HTTP}]"}, name)
        elif what == "secret":
            self.world.users.patch({"spec": {"tls": [{"secretName": "lost"}]}}, name)
        else:
            rules: list[Json] = found["rules"]
            path = self.dice.choice(self.dice.choice(rules)["http"]["paths"])
            if what == "service":
                path["backend"]["service"]["name"] = "lost"
            else:
                path["path"] = "/a%20b"
            self.world.users.rules(*rules, name=name)
        return f"{name} is spoilt: {what}"

    def delete(self) -> str:
        name = self._living()
        if not name:
            return "nothing to delete"
        self.world.users.delete(name)
        return f"delete {name}"

    def move_class(self) -> str:
        name = self._living()
        if not name:
            return "nobody to leave"
        if self.world.users.ingress(name).annotations.get(CLASS) == "nginx":
            self.world.users.annotate({CLASS: None}, name)
            return f"{name} comes back"
        if self._exits >= EXITS_MAX:
            return "nobody may leave any more"
        self._exits += 1
        self.world.users.annotate({CLASS: "nginx"}, name)
        return f"{name} leaves"

    def weigh(self) -> str:
        """Weights of pods, by the Ingress."""
        name = self._living()
        if not name:
            return "nothing to weigh"
        entry = {"key": {"proto": "HTTP", "port": 80}, "statefulSets": [
            {"name": "pods", "weights": [{"weight": self.dice.choice((1, 30)), "podIndexes": [0, 1]}]}]}  # fmt: skip
        said = {"defaultWeight": self.dice.choice((5, 20)), "groups": [entry]}
        text = self.dice.choice((json.dumps(said), None))
        self.world.users.annotate({asking.WEIGHTS: text}, name)
        return f"{name} weighs {text}"

    def _living(self) -> str:
        found = (self.world.users.find(name) for name in NAMES)
        names = [one["metadata"]["name"] for one in found if one and "deletionTimestamp" not in one["metadata"]]
        return self.dice.choice(names) if names else ""

    def _form(self, fixed: Mapping[str, str | None]) -> tuple[str, Json, Said]:
        """The layout, `spec`, and all annotations that say it."""
        layout = self.dice.choice(LAYOUTS)
        backends = BY_POD if fixed.get(asking.DIRECT) == "true" else BY_NODE
        rules = [
            manifests.rule(host, *self.dice.sample(PATHS, self.dice.randint(1, 2)), backend=self.dice.choice(backends))
            for host in self.dice.sample(HOSTS, self.dice.randint(1, 2))
        ]
        tls: list[Json] | None = [{"secretName": self.dice.choice(("cert", "cert2"))}] if layout in SECURE else None
        if layout == "two":
            tls = [{"hosts": [host], "secretName": name} for host, name in zip(HOSTS, ("cert", "cert2"), strict=True)]
        return layout, {"rules": rules, "tls": tls}, _said(layout, rules, self.dice)


def _said(layout: str, rules: list[Json], dice: random.Random) -> Said:
    said: Said = dict.fromkeys((asking.PORTS, asking.MIX, asking.ON_HTTP, asking.ON_HTTPS, asking.CODE))
    said |= {asking.AUTO: "false", asking.SUPPORT: "false"}
    first = {"host": rules[0]["host"], "path": rules[0]["http"]["paths"][0]["path"]}
    service = rules[0]["http"]["paths"][0]["backend"]["service"]["name"]
    match layout:
        case "both":
            said[asking.PORTS] = '[{"HTTP":80},{"HTTPS":443}]'
        case "odd":
            said[asking.PORTS] = '[{"HTTP":80},{"HTTP":8081}]'
        case "auto":
            code = dice.choice((301, 302))
            said |= {asking.AUTO: "true", asking.SUPPORT: None, asking.CODE: json.dumps({"defaultRewriteCode": code})}
            said[asking.PORTS] = dice.choice((None, '[{"HTTP":80},{"HTTPS":443}]'))
        case "mixed":
            entry = {**first, "backend": {"serviceName": service, "servicePort": "80"}}
            said |= {asking.MIX: "true", asking.ON_HTTP: json.dumps([entry])}
        case "led":
            entry = {**first, "rewrite": {"port": "443", **first}}
            said |= {asking.MIX: "true", asking.SUPPORT: "true", asking.ON_HTTP: json.dumps([entry])}
    return said
