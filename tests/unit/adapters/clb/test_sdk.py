"""Where the API is, from the two flags that say it."""

import pytest

from l7lb.adapters.clb.sdk import Endpoint
from l7lb.errors import ConfigurationError


@pytest.mark.parametrize(
    ("flag", "domain", "scheme", "clb", "tag"),
    [
        ("", "", "https", "clb.tencentcloudapi.com", "tag.tencentcloudapi.com"),
        ("", "intl.tencentcloudapi.com", "https", "clb.intl.tencentcloudapi.com", "tag.intl.tencentcloudapi.com"),
        ("clb.internal.example", "", "https", "clb.internal.example", "tag.tencentcloudapi.com"),
        ("http://127.0.0.1:8080", "", "http", "127.0.0.1:8080", "127.0.0.1:8080"),
        ("https://cloud.example/", "x.example", "https", "cloud.example", "cloud.example"),
    ],
)
def test_each_service_has_its_host(flag: str, domain: str, scheme: str, clb: str, tag: str) -> None:
    endpoint = Endpoint.parse(flag, domain)
    assert (endpoint.scheme(), endpoint.host("clb"), endpoint.host("tag")) == (scheme, clb, tag)


@pytest.mark.parametrize(
    ("flag", "domain", "named"),
    [
        ("ftp://x", "", "--clb-endpoint"),
        ("http://", "", "--clb-endpoint"),
        ("http://host/path", "", "--clb-endpoint"),
        ("http://user@host", "", "--clb-endpoint"),
        ("host/path", "", "--clb-endpoint"),
        ("", "https://x", "--api-root-domain"),
    ],
)
def test_a_bad_flag_is_named(flag: str, domain: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        Endpoint.parse(flag, domain)
