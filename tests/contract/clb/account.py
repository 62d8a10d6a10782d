"""One account of the cloud under test, reached with the unmodified SDK. Builders for what most tests need first.

Every successful answer is checked against the API description, so that no test needs to.
"""

import json
import urllib.request
from collections.abc import Sequence
from typing import Any

from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from tests.emulators.clb import schema
from tests.emulators.clb.emulator import ClbEmulator
from tests.emulators.clb.server import ClbServer

Json = dict[str, Any]

OUR_TAGS = {
    "tke-createdBy-flag": "yes",
    "tke-clusterId": "cls-test",
    "tke-lb-ingress-uuid": "uid-1",
    "l7lb-cluster-uid": "cluster-uid-1",
}


def as_tags(tags: dict[str, str]) -> list[Json]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


def profile(endpoint: str) -> ClientProfile:
    return ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=endpoint, reqTimeout=10))


class Connection:
    """Calls by service, and the control endpoints. ``region`` is that of every call."""

    def __init__(self, server: ClbServer, region: str = "ap-guangzhou") -> None:
        self.server = server
        self.region = region
        self.secret = ("AKIDEMULATOR", "emulator-secret-key")
        self._clients: dict[tuple[str, str, str], CommonClient] = {}
        self.tokens = 0

    @property
    def emulator(self) -> ClbEmulator:
        return self.server.emulator

    def client(self, service: str) -> CommonClient:
        key = (service, self.region, self.secret[0])
        if key not in self._clients:
            version = schema.version(service) or "2018-03-17"
            credential = Credential(*self.secret)
            client = CommonClient(service, version, credential, self.region, profile(self.server.endpoint))
            client.request.conn._session.trust_env = False
            self._clients[key] = client
        return self._clients[key]

    def call(self, service: str, action: str, **params: Any) -> Json:
        answer: Json = self.client(service).call_json(action, params)["Response"]
        schema.check_response(service, action, answer)
        return answer

    def clb(self, action: str, **params: Any) -> Json:
        return self.call("clb", action, **params)

    def refusal(self, action: str, service: str = "clb", **params: Any) -> TencentCloudSDKException:
        """The exception of a call that must not succeed."""
        try:
            answer = self.call(service, action, **params)
        except TencentCloudSDKException as error:
            return error
        raise AssertionError(f"{action} was not refused: {answer}")

    def code(self, action: str, service: str = "clb", **params: Any) -> str:
        """The code with which a call is refused."""
        return str(self.refusal(action, service, **params).code)

    def done(self, answer: Json) -> Json:
        """The task of a write, which must have succeeded."""
        task = self.clb("DescribeTaskStatus", TaskId=answer["RequestId"])
        assert task["Status"] == 0, task
        return task

    def write(self, action: str, **params: Any) -> Json:
        """A write and the end of its task."""
        answer = self.clb(action, **params)
        self.done(answer)
        return answer

    def control(self, method: str, path: str, body: Json | None = None) -> Json:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.server.url}/_emulator{path}", data, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            decoded: Json = json.loads(answer.read())
            return decoded

    def world(self, **body: Any) -> Sequence[Json]:
        """Prepare the world; gives what was made."""
        made: list[Json] = self.control("POST", "/seed-world", body)["load_balancers"]
        return made

    def close(self) -> None:
        for client in self._clients.values():
            client.request.conn._session.close()


class Account(Connection):
    """A connection with short ways to build things and to read them back."""

    def creation(self, **changes: Any) -> Json:
        """Parameters of a creation that is allowed, with a token of its own."""
        self.tokens += 1
        params: Json = {"LoadBalancerType": "OPEN", "ClientToken": f"token-{self.tokens}", "Tags": as_tags(OUR_TAGS)}
        return params | changes

    def create(self, **changes: Any) -> str:
        """A running load balancer."""
        answer = self.clb("CreateLoadBalancer", **self.creation(**changes))
        ids: list[str] = self.done(answer)["LoadBalancerIds"]
        return ids[0]

    def listener(self, lb: str, port: int = 80, protocol: str = "HTTP", **changes: Any) -> str:
        params: Json = {"LoadBalancerId": lb, "Ports": [port], "Protocol": protocol, "ListenerNames": [f"l-{port}"]}
        if protocol == "HTTPS" and not changes.get("SniSwitch"):
            params["Certificate"] = {"SSLMode": "UNIDIRECTIONAL", "CertId": "certrsa1"}
        ids: list[str] = self.write("CreateListener", **params | changes)["ListenerIds"]
        return ids[0]

    def rules(self, lb: str, listener: str, *places: str, **changes: Any) -> list[str]:
        """Rules such as ``shop.example.com/api``."""
        rules = [
            {"Domain": place.partition("/")[0], "Url": "/" + place.partition("/")[2], **changes} for place in places
        ]
        ids: list[str] = self.write("CreateRule", LoadBalancerId=lb, ListenerId=listener, Rules=rules)["LocationIds"]
        return ids

    def bind(self, lb: str, listener: str, rule: str, *ports: int, **changes: Any) -> Json:
        targets = [
            {"ListenerId": listener, "LocationId": rule, "EniIp": "10.0.0.1", "Port": port, **changes} for port in ports
        ]
        return self.clb("BatchRegisterTargets", LoadBalancerId=lb, Targets=targets)

    def describe(self, lb: str) -> Json:
        """The load balancer as the list shows it."""
        found = self.clb("DescribeLoadBalancers", LoadBalancerIds=[lb])["LoadBalancerSet"]
        assert len(found) == 1, found
        entry: Json = found[0]
        return entry

    def listeners(self, lb: str) -> list[Json]:
        shown: list[Json] = self.clb("DescribeListeners", LoadBalancerId=lb)["Listeners"]
        return shown

    def targets(self, lb: str) -> dict[str, dict[str, int]]:
        """Weights by ``ip:port``, by rule id."""
        shown = self.clb("DescribeTargets", LoadBalancerId=lb)["Listeners"]
        return {
            rule["LocationId"]: {
                f"{item['PrivateIpAddresses'][0]}:{item['Port']}": item["Weight"] for item in rule["Targets"]
            }
            for listener in shown
            for rule in listener["Rules"] or []
        }
