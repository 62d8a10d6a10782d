"""The load balancer on which questions are asked, with short ways to make parts of it and to read them back."""

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.cloud.account import TAG, Account, Json, Refused

Reach = Callable[[str, int], tuple[str, int]]
"""From an address and a port to where they are really served."""


@dataclass
class Bench:
    """The load balancer on which the questions are asked."""

    account: Account
    lb: str
    reach: Reach
    address: str
    serves: bool
    """Whether what it serves can be asked from here."""
    ports: int = 18000
    tasks: dict[str, float] = field(default_factory=dict)
    """Task -> when it was seen ended."""

    def listener(self) -> str:
        """A listener of a probe's own."""
        return self.listeners()[0]

    def listeners(self) -> tuple[str, int]:
        """Id and port of a new HTTP listener."""
        self.ports += 1
        answer, _ = self.account.write(
            "CreateListener", LoadBalancerId=self.lb, Ports=[self.ports], Protocol="HTTP", ListenerNames=[TAG]
        )
        self.tasks[answer["RequestId"]] = time.monotonic()
        return str(answer["ListenerIds"][0]), self.ports

    def rules(self, listener: str, *places: tuple[str, str]) -> list[str]:
        """Ids of new rules, in the order in which they were asked for, by reading them back."""
        rules = [{"Domain": host, "Url": url} for host, url in places]
        self.account.write("CreateRule", LoadBalancerId=self.lb, ListenerId=listener, Rules=rules)
        there = {(rule["Domain"], rule["Url"]): str(rule["LocationId"]) for rule in self.shown(listener)}
        return [there[place] for place in places]

    def shown(self, listener: str) -> list[Json]:
        """Rules of a listener as the cloud shows them."""
        found = self.account.call("DescribeListeners", LoadBalancerId=self.lb, ListenerIds=[listener])["Listeners"]
        return list(found[0].get("Rules") or [])

    def code(self, action: str, **params: Any) -> str:
        """`OK`, or the code of the refusal, also of a task."""
        try:
            self.account.write(action, LoadBalancerId=self.lb, **params)
        except Refused as refusal:
            return refusal.code
        return "OK"

    def get(self, port: int, host: str, headers: Json | None = None) -> tuple[int, dict[str, str]]:
        """Status and headers of an answer through the load balancer."""
        connection = http.client.HTTPConnection(*self.reach(self.address, port), timeout=10.0)
        try:
            connection.request("GET", "/", headers={"Host": host, **(headers or {})})
            answer = connection.getresponse()
            answer.read()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()
