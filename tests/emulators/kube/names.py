"""How names, label keys and label values must look, with the words in which the API server says so.

Nothing here knows an object. Source: "Object Names and IDs"; "Labels and Selectors", Syntax and character set.
"""

import re

LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end "
    "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_MESSAGE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
    "start and end with an "
    "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
LABEL_1035_MESSAGE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end "
    "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
QUALIFIED_MESSAGE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
LABEL_VALUE_MESSAGE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
    "validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_SUBDOMAIN = re.compile(rf"^{LABEL}(\.{LABEL})*$")
_LABEL = re.compile(f"^{LABEL}$")
_LABEL_1035 = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
_QUALIFIED = re.compile(r"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$")


def is_subdomain(text: str) -> bool:
    """RFC 1123 subdomain of at most 253 characters."""
    return len(text) <= 253 and bool(_SUBDOMAIN.match(text))


def is_label(text: str) -> bool:
    """RFC 1123 label of at most 63 characters."""
    return len(text) <= 63 and bool(_LABEL.match(text))


def is_label_1035(text: str) -> bool:
    """RFC 1035 label of at most 63 characters."""
    return len(text) <= 63 and bool(_LABEL_1035.match(text))


def is_label_value(text: str) -> bool:
    """What a label may hold: nothing, or up to 63 characters of its character set."""
    return not text or (len(text) <= 63 and bool(_QUALIFIED.match(text)))


def is_qualified(text: str) -> bool:
    """A key of a label or annotation: a name, with or without a DNS prefix before a slash."""
    prefix, slash, name = text.rpartition("/")
    return not (slash and not is_subdomain(prefix)) and 0 < len(name) <= 63 and bool(_QUALIFIED.match(name))
