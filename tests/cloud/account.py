"""An account of the cloud as a witness sees it: the unmodified SDK, a budget, and a tag by which all is found again.

Nothing of the product is used here.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

Json = dict[str, Any]

TAG: Final = "l7lb-e2e"
"""On every load balancer that this suite makes; its value is the run."""
CLUSTER_TAG: Final = "tke-clusterId"
"""What the product puts on every load balancer that it orders, in the order itself."""
LOAD_BALANCERS_MAX: Final = 2
"""At the same time, of one run. More are never ordered."""
TASK_S_MAX: Final = 300.0
TAGS_S_MAX: Final = 60.0
"""Within this time a tag shows; the product gives its own as long before it orders a second time."""
EMPTY_LOOKS: Final = 2
PAGE: Final = 100
"""The most that a list gives at once (DescribeLoadBalancers page)."""
NEEDED: Final = ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "L7LB_E2E_REGION", "L7LB_E2E_VPC")
VERSIONS: Final = {"clb": "2018-03-17", "tag": "2018-08-13"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is told."""

    secret_id: str
    secret_key: str = field(repr=False)
    region: str
    vpc: str
    token: str = field(default="", repr=False)
    subnet: str = ""
    """Load balancers are internal ones of this subnet; empty: public ones."""
    instance: str = ""
    """A virtual machine of the VPC that answers HTTP, as `ins-xxxxxxxx=10.0.0.5:30080`; empty: nothing is bound."""
    protected: str = ""
    """A load balancer made for this, on which a person has switched modification protection on; empty: none."""
    endpoint: str = ""
    """`http://127.0.0.1:PORT` of an emulator; empty: the real cloud."""

    @property
    def target(self) -> tuple[str, str, int] | None:
        """Instance, address and port of the machine."""
        name, _, place = self.instance.partition("=")
        address, _, port = place.partition(":")
        return (name, address, int(port)) if address and port else None

    def environment(self) -> dict[str, str]:
        """The keys as the product wants them."""
        keys = {"TENCENTCLOUD_SECRET_ID": self.secret_id, "TENCENTCLOUD_SECRET_KEY": self.secret_key}
        return keys | ({"TENCENTCLOUD_TOKEN": self.token} if self.token else {})


def settings(environ: Mapping[str, str] = os.environ) -> Settings | str:
    """From the environment; else the word with which the suite is skipped."""
    missing = [name for name in NEEDED if not environ.get(name)]
    if missing:
        return f"no real account: {', '.join(missing)} not set (docs/real-account.md)"
    return Settings(
        secret_id=environ["TENCENTCLOUD_SECRET_ID"],
        secret_key=environ["TENCENTCLOUD_SECRET_KEY"],
        token=environ.get("TENCENTCLOUD_TOKEN", ""),
        region=environ["L7LB_E2E_REGION"],
        vpc=environ["L7LB_E2E_VPC"],
        subnet=environ.get("L7LB_E2E_SUBNET", ""),
        instance=environ.get("L7LB_E2E_INSTANCE", ""),
        protected=environ.get("L7LB_E2E_PROTECTED", ""),
        endpoint=environ.get("L7LB_E2E_ENDPOINT", ""),
    )


class Refused(Exception):
    """The cloud's answer was a code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class OverBudget(Exception):
    """One load balancer more than a run may have."""


class Account:
    """Calls, waits and clean-up of one run."""

    def __init__(self, told: Settings, run: str = "", *, poll_s: float = 1.0, limit_s: float = TASK_S_MAX) -> None:
        self.told = told
        self.run = run or secrets.token_hex(4)
        self.cluster = f"cls-{TAG.rpartition('-')[2]}{self.run}"
        """The cluster that the product is told to be in."""
        self.page = PAGE
        self._poll_s = poll_s
        self._settle_s = poll_s if told.endpoint else TAGS_S_MAX
        self._limit_s = limit_s
        self.early_s = 0.0
        """So long the last load balancer was shown as running while its task had not ended; as far as looks tell."""
        self._pause = threading.Event()
        self._clients: dict[str, CommonClient] = {}

    def call(self, action: str, service: str = "clb", **params: Any) -> Json:
        """One call, made again when it was one too many; raises Refused."""
        until = time.monotonic() + self._limit_s
        while True:
            try:
                answer: Json = self._client(service).call_json(action, params)["Response"]
                return answer
            except TencentCloudSDKException as error:
                if not str(error.code).startswith(TOO_MANY) or time.monotonic() > until:
                    raise Refused(str(error.code), str(error.message)) from None
            self._pause.wait(self._poll_s)

    def write(self, action: str, **params: Any) -> tuple[Json, float]:
        """A write and the end of its task: the answer, and the seconds until the task was seen ended."""
        started = time.monotonic()
        answer = self._patiently(action, params)
        self.wait(f"the task of {action}", lambda: self.status(answer["RequestId"]) != "running")
        ended = self.status(answer["RequestId"])
        if ended != "succeeded":
            raise Refused(f"task {ended}", action)
        return answer, time.monotonic() - started

    def status(self, task: str) -> str:
        """`succeeded`, `failed`, `running`, or the code with which the question is refused."""
        try:
            number = self.call("DescribeTaskStatus", TaskId=task)["Status"]
        except Refused as refusal:
            return refusal.code
        return {0: "succeeded", 1: "failed", 2: "running"}.get(number, f"status {number}")

    def create(self, name: str) -> str:
        """One pay-as-you-go load balancer with the tag of the run, running; raises OverBudget."""
        self.afford()
        place = {"SubnetId": self.told.subnet, "LoadBalancerType": "INTERNAL"} if self.told.subnet else PUBLIC
        order: Json = {
            **place,
            "VpcId": self.told.vpc,
            "LoadBalancerName": f"{TAG}-{self.run}-{name}",
            "ClientToken": secrets.token_hex(20),
            "Number": 1,
            "Tags": [{"TagKey": TAG, "TagValue": self.run}],
        }
        answer = self._patiently("CreateLoadBalancer", order)
        self.early_s = _watched(self, answer)
        ids = self.call("DescribeTaskStatus", TaskId=answer["RequestId"]).get("LoadBalancerIds") or []
        return str(ids[0])

    def afford(self) -> None:
        """Raises OverBudget when the run has as many as it may have."""
        if len(self.mine()) >= LOAD_BALANCERS_MAX:
            raise OverBudget(f"the run {self.run} has {LOAD_BALANCERS_MAX} load balancers already")

    def mine(self) -> dict[str, Json]:
        """Load balancers of this run by id, also those on which the product should have put our tag and has not."""
        return self.tagged(TAG, self.run) | self.tagged(CLUSTER_TAG, self.cluster)

    def tagged(self, key: str, value: str) -> dict[str, Json]:
        """Load balancers with a tag, by id, as the filter finds them."""
        return self._listed({"Name": f"tag:{key}", "Values": [value]})

    def left(self) -> dict[str, str]:
        """Load balancers of all runs of this suite: id -> run."""
        found = self._listed({"Name": "tag-key", "Values": [TAG]})
        return {name: tags_of(one).get(TAG, "") for name, one in found.items()}

    def clean(self) -> list[str]:
        """Delete what this run has made, whatever is bound to it; the ids. One that does not go keeps no other.

        It ends when two looks in a row find nothing, so far apart that a tag that lags has come.
        """
        gone: list[str] = []
        failures: dict[str, Exception] = {}
        empty = 0
        while empty < EMPTY_LOOKS:
            found = {name: one for name, one in self.mine().items() if _is_ours(self, one) and name not in failures}
            going = [name for name, one in found.items() if _delete(self, name, one, failures)]
            _see_gone(self, going, failures)
            gone += [name for name in going if name not in failures]
            empty = 0 if found else empty + 1
            if 0 < empty < EMPTY_LOOKS:
                self._pause.wait(self._settle_s)
        if failures:
            raise ExceptionGroup(f"load balancers of the run {self.run} are left", list(failures.values()))
        return gone

    def wait(self, what: str, question: Callable[[], bool]) -> float:
        """Ask until it is so; the seconds it took."""
        started = time.monotonic()
        while not question():
            if time.monotonic() - started > self._limit_s:
                raise TimeoutError(f"not within {self._limit_s:g} s: {what}")
            self._pause.wait(self._poll_s)
        return time.monotonic() - started

    def _patiently(self, action: str, params: Json) -> Json:
        """What is busy is asked again."""
        until = time.monotonic() + self._limit_s
        while True:
            try:
                return self.call(action, **params)
            except Refused as refusal:
                if not refusal.code.startswith(AGAIN) or time.monotonic() > until:
                    raise
            self._pause.wait(self._poll_s)

    def _listed(self, one: Json) -> dict[str, Json]:
        """All pages, the oldest first: what is made meanwhile shifts nothing."""
        found: dict[str, Json] = {}
        order: Json = {"OrderBy": "CreateTime", "OrderType": 0, "Limit": self.page}
        offset = 0
        while True:
            page = self.call("DescribeLoadBalancers", Filters=[one], Offset=offset, **order)["LoadBalancerSet"]
            found |= {entry["LoadBalancerId"]: entry for entry in page}
            if len(page) < self.page:
                return found
            offset += len(page)

    def _client(self, service: str) -> CommonClient:
        if service not in self._clients:
            http = HttpProfile(reqTimeout=30)
            if self.told.endpoint:
                parts = urlsplit(self.told.endpoint)
                http = HttpProfile(protocol=parts.scheme, endpoint=parts.netloc, reqTimeout=30)
            keys = Credential(self.told.secret_id, self.told.secret_key, self.told.token or None)
            client = CommonClient(service, VERSIONS[service], keys, self.told.region, ClientProfile(httpProfile=http))
            if self.told.endpoint:
                client.request.conn._session.trust_env = False
            self._clients[service] = client
        return self._clients[service]

    def close(self) -> None:
        """End the idle connections."""
        for client in self._clients.values():
            client.request.conn._session.close()


def _watched(account: Account, answer: Json) -> float:
    """Wait for the end of a creation; for how long what it makes was shown as running before."""
    shown: list[float] = []

    def ended() -> bool:
        named = answer.get("LoadBalancerIds") or []
        listed = account.call("DescribeLoadBalancers", LoadBalancerIds=named)["LoadBalancerSet"] if named else []
        if account.status(answer["RequestId"]) != "running":
            return True
        if any(one["Status"] == 1 for one in listed):
            shown.append(time.monotonic())
        return False

    account.wait("the task of CreateLoadBalancer", ended)
    if (status := account.status(answer["RequestId"])) != "succeeded":
        raise Refused(f"task {status}", "CreateLoadBalancer")
    return time.monotonic() - shown[0] if shown else 0.0


def _is_ours(account: Account, one: Json) -> bool:
    """A filter that lies must not cost anybody a load balancer."""
    tags = tags_of(one)
    return tags.get(TAG) == account.run or tags.get(CLUSTER_TAG) == account.cluster


def _delete(account: Account, name: str, one: Json, failures: dict[str, Exception]) -> bool:
    try:
        if "DeleteProtect" in (one.get("AttributeFlags") or ()):
            account.write("ModifyLoadBalancerAttributes", LoadBalancerId=name, DeleteProtect=False)
        account._patiently("DeleteLoadBalancer", {"LoadBalancerIds": [name], "ForceDelete": True})
    except (Refused, TimeoutError) as failure:
        failures[name] = failure
    return name not in failures


def _see_gone(account: Account, names: list[str], failures: dict[str, Exception]) -> None:
    try:
        account.wait("all is gone", lambda: not set(names) & set(account.mine()))
    except TimeoutError as failure:
        failures |= dict.fromkeys(names, failure)


def tags_of(entry: Json) -> dict[str, str]:
    """Tags of a load balancer as the list shows it."""
    return {one["TagKey"]: one["TagValue"] for one in entry.get("Tags") or []}


PUBLIC: Final = {
    "LoadBalancerType": "OPEN",
    "InternetAccessible": {"InternetChargeType": "TRAFFIC_POSTPAID_BY_HOUR", "InternetMaxBandwidthOut": 1},
}
TOO_MANY: Final = "RequestLimitExceeded"
AGAIN: Final = ("FailedOperation.ResourceInOperating", "InternalError", "FailedOperation.Frequ")
