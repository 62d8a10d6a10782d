"""Makes ``schema.json`` from the API description that Tencent ships inside the ``tccli`` wheel.

Run ``pip download --no-deps tccli`` and ``python -m tests.emulators.clb.extract_schema tccli-*.whl``.
Only the actions that the emulator serves are kept, without their prose. Nothing may be edited by hand in the result:
the emulator judges requests by a description that we did not write.
"""

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

TARGET = Path(__file__).with_name("schema.json")

SERVED: dict[str, tuple[str, tuple[str, ...]]] = {
    "clb": (
        "v20180317",
        (
            "CreateLoadBalancer", "DescribeLoadBalancers", "DeleteLoadBalancer", "ModifyLoadBalancerAttributes",
            "SetLoadBalancerSecurityGroups", "DescribeQuota", "DescribeLBOperateProtect", "DescribeTaskStatus",
            "CreateListener", "DescribeListeners", "ModifyListener", "DeleteListener", "DeleteLoadBalancerListeners",
            "CreateRule", "ModifyRule", "ModifyDomain", "ModifyDomainAttributes", "DeleteRule",
            "RegisterTargets", "DeregisterTargets", "BatchRegisterTargets", "BatchDeregisterTargets",
            "ModifyTargetWeight", "BatchModifyTargetWeight", "DescribeTargets", "DescribeTargetHealth",
            "AutoRewrite", "ManualRewrite", "DescribeRewrite", "DeleteRewrite",
            "ReplaceCertForLoadBalancers", "CloneLoadBalancer", "SetLoadBalancerStartStatus",
        ),
    ),
    "tag": (
        "v20180813",
        ("TagResources", "UnTagResources", "ModifyResourceTags", "DescribeResourceTagsByResourceIds", "GetResources"),
    ),
    "ssl": ("v20191205", ("DescribeCertificateDetail", "DescribeCertificates")),
    "vpc": ("v20170312", ("DescribeSubnets",)),
    "cvm": ("v20170312", ("DescribeInstances",)),
}  # fmt: skip


def main(wheel: str) -> None:
    """Write the extract beside this module."""
    with zipfile.ZipFile(wheel) as archive:
        services = {
            name: _extract(json.loads(archive.read(f"tccli/services/{name}/{version}/api.json")), actions)
            for name, (version, actions) in SERVED.items()
        }
    TARGET.write_text(_text(Path(wheel).name, services), encoding="utf-8")


def _text(source: str, services: dict[str, dict[str, Any]]) -> str:
    """JSON with one line per action and per object, so that a new release of the wheel can be reviewed as a diff."""
    parts = []
    for name, service in sorted(services.items()):
        tables = [
            f' "{table}": {{\n'
            + ",\n".join(f'  "{key}": {json.dumps(value)}' for key, value in sorted(service[table].items()))
            + "\n }"
            for table in ("actions", "objects")
        ]
        parts.append(f'"{name}": {{\n "version": "{service["version"]}",\n' + ",\n".join(tables) + "\n}")
    return f'{{"source": "{source}", "services": {{\n' + ",\n".join(parts) + "\n}}\n"


def _extract(api: dict[str, Any], actions: tuple[str, ...]) -> dict[str, Any]:
    kept: dict[str, dict[str, list[Any]]] = {}
    for action in actions:
        for end in ("input", "output"):
            _keep(api["objects"], api["actions"][action][end], kept)
    return {
        "version": api["metadata"]["apiVersion"],
        "actions": {name: [api["actions"][name]["input"], api["actions"][name]["output"]] for name in actions},
        "objects": kept,
    }


def _keep(objects: dict[str, Any], name: str, kept: dict[str, dict[str, list[Any]]]) -> None:
    if name in kept or name not in objects:
        return
    members = objects[name]["members"]
    kept[name] = {
        member["name"]: [member["type"], member["member"], bool(member.get("required"))] for member in members
    }
    for member in members:
        _keep(objects, member["member"], kept)


if __name__ == "__main__":
    main(sys.argv[1])
