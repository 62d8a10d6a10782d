"""From the certificate members of a request to the certificates that are bound, with the checks of the store."""

from typing import Any

from tests.emulators.clb.cloud import Cloud
from tests.emulators.clb.errors import bad_value, missing
from tests.emulators.clb.nouns import Certificate, CertificateSet
from tests.emulators.clb.wire import Json


def requested(cloud: Cloud, params: Json) -> CertificateSet | None:
    """The certificates that ``Certificate`` or ``MultiCertInfo`` ask for; ``None`` when neither is there."""
    single, several = params.get("Certificate"), params.get("MultiCertInfo")
    if single is not None and several is not None:
        raise bad_value("Certificate and MultiCertInfo cannot be given together.")
    if single is not None:
        return _single(cloud, single)
    return None if several is None else _several(cloud, several)


def _single(cloud: Cloud, given: dict[str, Any]) -> CertificateSet:
    mutual = _mutual(given)
    server = _server_id(cloud, given)
    ca_id = given.get("CertCaId", "")
    if mutual and not ca_id and given.get("CertCaContent"):
        ca_id = _upload(cloud, "CA", given.get("CertCaName", ""), given["CertCaContent"], "")
    if mutual and not ca_id:
        raise missing("Certificate.CertCaId")
    if ca_id and mutual:
        _look_up(cloud, ca_id, "CA")
    return CertificateSet((server,), mutual, given.get("SSLVerifyClient", "ON"), ca_id if mutual else "")


def _several(cloud: Cloud, given: dict[str, Any]) -> CertificateSet:
    mutual = _mutual(given)
    ids = [item.get("CertId") or _server_id(cloud, item) for item in given["CertList"]]
    if not ids:
        raise missing("MultiCertInfo.CertList")
    found = [_look_up(cloud, cert_id, "") for cert_id in ids]
    servers = [item for item in found if item.kind == "SVR"]
    authorities = [item for item in found if item.kind == "CA"]
    if not servers:
        raise bad_value("MultiCertInfo needs a server certificate.")
    if len({item.algorithm for item in servers}) != len(servers):
        raise bad_value("The algorithms of the certificates in MultiCertInfo must differ.")
    if len(authorities) != (1 if mutual else 0):
        raise bad_value("MultiCertInfo needs one CA certificate with SSLMode MUTUAL, and none otherwise.")
    ca_id = authorities[0].id if authorities else ""
    return CertificateSet(tuple(item.id for item in servers), mutual, given.get("SSLVerifyClient", "ON"), ca_id)


def _mutual(given: dict[str, Any]) -> bool:
    mode = given.get("SSLMode", "UNIDIRECTIONAL")
    if mode not in ("UNIDIRECTIONAL", "MUTUAL"):
        raise bad_value(f"SSLMode '{mode}' is not valid.")
    if given.get("SSLVerifyClient", "ON") not in ("ON", "OPTIONAL"):
        raise bad_value("SSLVerifyClient is not valid.")
    return bool(mode == "MUTUAL")


def _server_id(cloud: Cloud, given: dict[str, Any]) -> str:
    cert_id = given.get("CertId", "")
    if not cert_id and given.get("CertContent") and given.get("CertKey"):
        return _upload(cloud, "SVR", given.get("CertName", ""), given["CertContent"], given["CertKey"])
    if not cert_id:
        raise missing("Certificate.CertId")
    return _look_up(cloud, cert_id, "SVR").id


def _look_up(cloud: Cloud, cert_id: str, kind: str) -> Certificate:
    found = cloud.world.certificates.get(cert_id)
    # TKE's event E4040 family quotes this text for an id that the certificate service does not know.
    if found is None or (kind and found.kind != kind):
        raise bad_value(f"Query certificate '{cert_id}' failed.")
    if found.status != 1 and cloud.switches.expired_certificate == "refused":
        raise bad_value(f"Certificate '{cert_id}' is out of date.")
    return found


def _upload(cloud: Cloud, kind: str, alias: str, pem: str, key: str) -> str:
    cert_id = cloud.world.new_id("crt").replace("crt-00", "up")
    cloud.world.certificates[cert_id] = Certificate(cert_id, kind, alias=alias, pem=pem, key_pem=key)
    return cert_id
