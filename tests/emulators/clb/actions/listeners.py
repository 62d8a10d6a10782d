"""Listeners: create, describe, modify, delete."""

from functools import partial

from tests.emulators.clb import certificates, render
from tests.emulators.clb.cloud import Call, Cloud
from tests.emulators.clb.errors import ApiError, bad_value, missing, quota
from tests.emulators.clb.nouns import CertificateSet, Listener, LoadBalancer
from tests.emulators.clb.syntax import check_choice, check_name, check_port, default_health
from tests.emulators.clb.wire import Json
from tests.emulators.clb.world import listener_of

_PROTOCOLS = ("HTTP", "HTTPS", "TCP", "UDP", "TCP_SSL", "QUIC")
_CERTIFIED = ("HTTPS", "TCP_SSL", "QUIC")
PORTS_MAX = 49
"""The server's text is "Length of .Ports should be less than 50"."""


def create_listener(cloud: Cloud, call: Call) -> Json:
    """One listener per port, all alike; the ids are usable when the task has succeeded."""
    lb = cloud.writable(call)
    if lb.forward == 0:
        raise ApiError("UnsupportedOperation", "This interface only support application load balancers.")
    params = call.params
    check_choice("Protocol", params["Protocol"], _PROTOCOLS)
    ports = call.ids("Ports", PORTS_MAX)
    _check_ports(cloud, lb, params, [int(port) for port in ports])
    certificate = _listener_certificate(cloud, params)
    made = [_new(cloud, call, certificate, index) for index in range(len(ports))]
    effect = partial(lb.listeners.update, {listener.id: listener for listener in made})
    cloud.accept(call, [lb], effect)
    return {"ListenerIds": [listener.id for listener in made]}


def _check_ports(cloud: Cloud, lb: LoadBalancer, params: Json, ports: list[int]) -> None:
    if not ports:
        raise missing("Ports")
    names = params.get("ListenerNames", [])
    if names and len(names) != len(ports):
        raise bad_value("ListenerNames and Ports should have the same length.")
    for name in names:
        check_name(name, "ListenerNames")
    udp = params["Protocol"] in ("UDP", "QUIC")
    taken = {item.port for item in lb.listeners.values() if (item.protocol in ("UDP", "QUIC")) == udp}
    for port in ports:
        check_port(port)
        if port in taken:
            raise ApiError("InvalidParameter.PortCheckFailed", f"Port {port} is used by another listener.")
        taken.add(port)
    limit = cloud.world.quotas["TOTAL_LISTENER_QUOTA"]
    if len(lb.listeners) + len(ports) > limit:
        raise quota("TOTAL_LISTENER_QUOTA", limit)


def _listener_certificate(cloud: Cloud, params: Json) -> CertificateSet | None:
    certificate = certificates.requested(cloud, params)
    sni = params.get("SniSwitch", 0) == 1
    if params["Protocol"] not in _CERTIFIED:
        if certificate is not None:
            raise bad_value(f"Certificate is not supported by a {params['Protocol']} listener.")
        if sni:
            raise bad_value("SniSwitch is only supported by an HTTPS listener.")
    elif sni and certificate is not None:
        raise bad_value("With SniSwitch on, certificates are given to the rules.")
    elif not sni and certificate is None:
        raise missing("Certificate")
    return certificate


def _new(cloud: Cloud, call: Call, certificate: CertificateSet | None, index: int) -> Listener:
    params = call.params
    listener_id = cloud.world.new_id("lbl")
    names = params.get("ListenerNames", [])
    listener = Listener(
        id=listener_id,
        name=names[index] if names else "",
        protocol=params["Protocol"],
        port=params["Ports"][index],
        end_port=params.get("EndPort", 0),
        certificate=certificate,
        sni=params.get("SniSwitch", 0) == 1,
        keepalive=params.get("KeepaliveEnable", 0),
        scheduler=params.get("Scheduler", "WRR"),
        session_s=params.get("SessionExpireTime", 0),
        compress_mode=params.get("DataCompressMode", "transparent"),
        created_at=call.now,
        attributes=["SnatEnable"] if params.get("SnatEnable", False) else [],
    )
    if not listener.layer7:
        listener.health = {**default_health(), "CheckType": "TCP", **params.get("HealthCheck", {})}
    return listener


def describe_listeners(cloud: Cloud, call: Call) -> Json:
    """All listeners of one load balancer with all their rules; no paging."""
    lb = cloud.load_balancer(call)
    ids = call.ids("ListenerIds", 100)
    for listener_id in ids:
        listener_of(lb, listener_id)
    shown = [
        render.listener(cloud, item)
        for item in lb.listeners.values()
        if (not ids or item.id in ids)
        and item.protocol == call.params.get("Protocol", item.protocol)
        and item.port == call.params.get("Port", item.port)
    ]
    return {"Listeners": shown, "TotalCount": len(shown)}


def modify_listener(cloud: Cloud, call: Call) -> Json:
    """SNI can be switched on and never off."""
    lb = cloud.writable(call)
    listener = listener_of(lb, call.params["ListenerId"])
    params = call.params
    if "ListenerName" in params:
        check_name(params["ListenerName"], "ListenerName")
    if "SniSwitch" in params:
        if listener.protocol != "HTTPS":
            raise bad_value("SniSwitch is only supported by an HTTPS listener.")
        if listener.sni and params["SniSwitch"] == 0:
            raise ApiError("UnsupportedOperation", "SniSwitch cannot be switched off.")
    certificate = certificates.requested(cloud, params)
    sni_after = listener.sni or params.get("SniSwitch", 0) == 1
    if certificate is not None and (listener.protocol not in _CERTIFIED or sni_after):
        raise bad_value("The certificate of this listener cannot be set here.")
    cloud.accept(call, [lb], partial(_apply, cloud, listener, params, certificate))
    return {}


def _apply(cloud: Cloud, listener: Listener, params: Json, certificate: CertificateSet | None) -> None:
    listener.name = params.get("ListenerName", listener.name)
    listener.keepalive = params.get("KeepaliveEnable", listener.keepalive)
    listener.session_s = params.get("SessionExpireTime", listener.session_s)
    listener.scheduler = params.get("Scheduler", listener.scheduler)
    listener.compress_mode = params.get("DataCompressMode", listener.compress_mode)
    if "SnatEnable" in params:
        others = [flag for flag in listener.attributes if flag != "SnatEnable"]
        listener.attributes = [*others, "SnatEnable"] if params["SnatEnable"] else others
    if listener.health is not None:
        listener.health |= params.get("HealthCheck", {})
    if certificate is not None:
        listener.certificate = certificate
    if params.get("SniSwitch", 0) == 1 and not listener.sni:
        _switch_sni_on(cloud, listener)


def _switch_sni_on(cloud: Cloud, listener: Listener) -> None:
    """The hosts keep the certificate that they had; whether the listener still shows it is not documented."""
    listener.sni = True
    for rule in listener.rules.values():
        rule.certificate = rule.certificate or listener.certificate
    if cloud.switches.sni_moves_certificate:
        listener.certificate = None


def delete_listener(cloud: Cloud, call: Call) -> Json:
    """Refused while the listener takes part in a redirection."""
    lb = cloud.writable(call)
    listener = listener_of(lb, call.params["ListenerId"])
    _check_no_redirect(lb, listener)
    cloud.accept(call, [lb], partial(_remove, lb, [listener.id]))
    return {}


def delete_listeners(cloud: Cloud, call: Call) -> Json:
    """DeleteLoadBalancerListeners: one missing id fails the whole call; no ids means every listener."""
    lb = cloud.writable(call)
    ids = call.ids("ListenerIds", 20) or list(lb.listeners)
    if absent := [listener_id for listener_id in ids if listener_id not in lb.listeners]:
        raise ApiError("InvalidParameter", f"some ListenerId {' '.join(absent)} not found")
    for listener_id in ids:
        _check_no_redirect(lb, lb.listeners[listener_id])
    cloud.accept(call, [lb], partial(_remove, lb, ids))
    return {}


def _check_no_redirect(lb: LoadBalancer, listener: Listener) -> None:
    """TKE's event E4006 quotes this text; the code beside it is not published."""
    for item in lb.listeners.values():
        for rule in item.rules.values():
            if rule.redirect is not None and listener.id in (item.id, rule.redirect.listener_id):
                raise ApiError("FailedOperation", f"Redirection config on the listener {listener.id}.")


def _remove(lb: LoadBalancer, ids: list[str]) -> None:
    for listener_id in ids:
        lb.listeners.pop(listener_id, None)
