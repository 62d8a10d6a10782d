"""The shapes of answers (LoadBalancer, Listener, RuleOutput, Backend), with the nulls of the published samples."""

from collections.abc import Callable
from typing import Any

from tests.emulators.clb.cloud import Cloud
from tests.emulators.clb.nouns import CertificateSet, Listener, LoadBalancer, Redirect, Rule, Target
from tests.emulators.clb.syntax import is_pattern
from tests.emulators.clb.wire import Json

Stamp = Callable[[float], str]


def load_balancer(cloud: Cloud, lb: LoadBalancer, now: float) -> Json:
    """One entry of ``LoadBalancerSet``."""
    is_public = lb.kind == "OPEN"
    shown_vips = [lb.vip] if lb.status == 1 and not lb.domain and not lb.ipv6 else []
    flags = [name for name, on in (("DeleteProtect", lb.delete_protect), ("IsDomainCLB", bool(lb.domain))) if on]
    tags = lb.tags_at(now, for_filter=False)
    return {
        "LoadBalancerId": lb.id, "LoadBalancerName": lb.name, "LoadBalancerType": lb.kind, "Forward": lb.forward,
        "Domain": lb.domain if lb.status == 1 else "", "LoadBalancerDomain": lb.domain if lb.status == 1 else "",
        "LoadBalancerVips": shown_vips, "Status": lb.status, "CreateTime": cloud.stamp(lb.created_at),
        "StatusTime": cloud.stamp(lb.status_at), "ProjectId": lb.project_id, "VpcId": lb.vpc_id, "OpenBgp": 0,
        "Snat": False, "Isolation": 0, "Log": "", "SubnetId": lb.subnet_id,
        "Tags": [{"TagKey": key, "TagValue": value} for key, value in sorted(tags.items())],
        "SecureGroups": list(lb.security_groups),
        "TargetRegionInfo": {"Region": lb.region, "VpcId": lb.vpc_id, "NumericalVpcId": 1000001},
        "AnycastZone": "", "AddressIPVersion": "ipv6" if lb.ipv6 else "ipv4", "NumericalVpcId": 1000001,
        "VipIsp": lb.isp if is_public else "INTERNAL", "MasterZone": _zone(lb) if is_public else None,
        "BackupZoneSet": None, "IsolatedTime": None, "ExpireTime": None, "ChargeType": lb.charge_type,
        "NetworkAttributes": _network(lb) if is_public else None, "PrepaidAttributes": None, "LogSetId": lb.log_set,
        "LogTopicId": lb.log_topic, "AddressIPv6": lb.ipv6 if lb.ipv6 and lb.status == 1 else None, "ExtraInfo": None,
        "IsDDos": False, "ConfigId": lb.config_id, "LoadBalancerPassToTarget": lb.pass_to_target,
        "ExclusiveCluster": {"L4Clusters": None, "L7Clusters": None, "ClassicalCluster": None},
        "IPv6Mode": lb.ipv6_mode or None, "SnatPro": lb.snat_pro, "SnatIps": [], "SlaType": lb.sla, "IsBlock": False,
        "IsBlockTime": "", "LocalBgp": False, "ClusterTag": None, "MixIpTarget": False, "Zones": None, "NfvInfo": "",
        "HealthLogSetId": "", "HealthLogTopicId": "", "ClusterIds": None, "AttributeFlags": flags, "Egress": "",
        "Exclusive": 0, "TargetCount": None, "AssociateEndpoint": lb.endpoint,
    }  # fmt: skip


def _zone(lb: LoadBalancer) -> Json:
    zone = lb.zone or f"{lb.region}-3"
    return {
        "ZoneId": 100003, "Zone": zone, "ZoneName": zone, "ZoneRegion": lb.region, "LocalZone": False,
        "EdgeZone": False,
    }  # fmt: skip


def _network(lb: LoadBalancer) -> Json:
    return {
        "InternetChargeType": lb.internet.get("InternetChargeType", "TRAFFIC_POSTPAID_BY_HOUR"),
        "InternetMaxBandwidthOut": lb.internet.get("InternetMaxBandwidthOut", 10),
        "BandwidthpkgSubType": lb.internet.get("BandwidthpkgSubType"),
    }


def listener(cloud: Cloud, item: Listener) -> Json:
    """One entry of ``Listeners``, with all its rules inline and no targets."""
    rules = [rule(cloud, item, inner) for inner in item.rules.values()]
    return {
        "ListenerId": item.id, "ListenerName": item.name, "Protocol": item.protocol, "Port": item.port,
        "EndPort": item.end_port, "Certificate": certificate(item.certificate),
        "HealthCheck": health(item.health, "") if item.health else None,
        "Scheduler": None if item.layer7 else item.scheduler, "SessionExpireTime": item.session_s,
        "SniSwitch": int(item.sni), "Rules": rules if item.layer7 else None, "CreateTime": cloud.stamp(item.created_at),
        "TargetType": "NODE", "TargetGroup": None, "SessionType": "NORMAL",
        "KeepaliveEnable": item.keepalive if item.layer7 else None, "Toa": False, "DeregisterTargetRst": False,
        "AttrFlags": list(item.attributes), "TargetGroupList": None, "MaxConn": -1, "MaxCps": -1,
        "IdleConnectTimeout": None, "RescheduleInterval": 0, "DataCompressMode": item.compress_mode,
        "RescheduleStartTime": 0,
    }  # fmt: skip


def rule(cloud: Cloud, parent: Listener, item: Rule) -> Json:
    """A ``RuleOutput``."""
    return {
        "LocationId": item.id, "ListenerId": parent.id, "Domain": item.domains[0], "Domains": list(item.domains),
        "Url": item.url, "SessionExpireTime": item.session_s, "HealthCheck": health(item.health, item.domains[0]),
        "Certificate": certificate(item.certificate), "Scheduler": item.scheduler,
        "RewriteTarget": rewrite_target(cloud, item.redirect), "HttpGzip": item.gzip,
        "BeAutoCreated": item.auto_created, "DefaultServer": parent.default_domain in item.domains, "Http2": item.http2,
        "ForwardType": item.forward_type,
        "CreateTime": cloud.stamp(item.created_at), "TargetType": item.target_type, "TargetGroup": None,
        "WafDomainId": item.waf_domain, "TrpcCallee": None, "TrpcFunc": None,
        "QuicStatus": "QUIC_ACTIVE" if item.quic else "QUIC_INACTIVE", "TargetGroupList": None,
        "OAuth": item.oauth, "CookieName": item.cookie_name,
    }  # fmt: skip


def health(settings: dict[str, Any], host: str) -> Json:
    """A ``HealthCheck``; a check host that was never set reads as the rule's own."""
    shown = dict(settings)
    if not shown.get("HttpCheckDomain"):
        shown["HttpCheckDomain"] = None if is_pattern(host) else host
    return shown


def certificate(bound: CertificateSet | None) -> Json | None:
    """A ``CertificateOutput``."""
    if bound is None:
        return None
    return {
        "SSLMode": "MUTUAL" if bound.mutual else "UNIDIRECTIONAL",
        "SSLVerifyClient": bound.verify_client if bound.mutual else None,
        "CertId": bound.server_ids[0],
        "CertCaId": bound.ca_id or None,
        "ExtCertIds": list(bound.server_ids[1:]) or None,
    }


def rewrite_target(cloud: Cloud, redirect: Redirect | None) -> Json | None:
    """Without a redirect either null or an object of nulls: the members are documented as nullable."""
    if redirect is not None:
        return {
            "TargetListenerId": redirect.listener_id, "TargetLocationId": redirect.location_id,
            "RewriteCode": redirect.code, "TakeUrl": redirect.take_url, "RewriteType": redirect.kind,
        }  # fmt: skip
    if cloud.switches.rewrite_target == "null":
        return None
    names = ("TargetListenerId", "TargetLocationId", "RewriteCode", "TakeUrl", "RewriteType")
    return dict.fromkeys(names)


def backend(cloud: Cloud, target: Target) -> Json:
    """A ``Backend``, the read shape of a target."""
    kind = "CVM" if target.instance_id else "ENI"
    return {
        "Type": kind.lower() if cloud.switches.backend_type == "cvm" else kind, "InstanceId": target.instance_id,
        "Port": target.port, "Weight": target.weight, "PublicIpAddresses": None, "PrivateIpAddresses": [target.ip],
        "InstanceName": target.name or None, "RegisteredTime": cloud.stamp(target.registered_at),
        "EniId": target.eni_id, "Tag": target.tag or None, "Zone": None,
    }  # fmt: skip
