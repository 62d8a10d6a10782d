"""What a strict reader of `/metrics` would complain about."""

import re
from collections import Counter

from prometheus_client.parser import text_string_to_metric_families

NAME = re.compile(r"[a-z][a-z0-9_]*")
FROM_PYTHON = ("process_", "python_")
UNITS = ("_seconds", "_total", "_bytes", "_info", "_count", "_sum", "_bucket", "_created")


def complaints(text: str) -> list[str]:
    """Empty: none. HELP and TYPE once for each family, names in order, no series twice, buckets that rise."""
    found = []
    for word in ("HELP", "TYPE"):
        heads = Counter(re.findall(rf"^# {word} (\S+)", text, re.MULTILINE))
        found += [f"{name}: {count} lines of {word}" for name, count in heads.items() if count != 1]
    series: Counter[str] = Counter()
    for family in text_string_to_metric_families(text):
        if not NAME.fullmatch(family.name):
            found.append(f"{family.name}: not a name")
        if not family.documentation:
            found.append(f"{family.name}: no help")
        if family.type == "counter" and any(not s.name.endswith(("_total", "_created")) for s in family.samples):
            found.append(f"{family.name}: a counter that does not end in _total")
        if family.type == "unknown":
            found.append(f"{family.name}: no type")
        for sample in family.samples:
            series[f"{sample.name}{sorted(sample.labels.items())}"] += 1
        if family.type == "histogram":
            found += _falling(family.name, [(s.labels, s.value) for s in family.samples if s.name.endswith("_bucket")])
    return found + [f"{name}: {count} times" for name, count in series.items() if count > 1]


def _falling(name: str, buckets: list[tuple[dict[str, str], float]]) -> list[str]:
    by_series: dict[str, list[tuple[float, float]]] = {}
    for labels, value in buckets:
        rest = str(sorted((key, text) for key, text in labels.items() if key != "le"))
        by_series.setdefault(rest, []).append((float(labels["le"]), value))
    return [
        f"{name}{rest}: buckets fall"
        for rest, pairs in by_series.items()
        if [value for _, value in sorted(pairs)] != sorted(value for _, value in pairs)
    ]


def filled(text: str) -> set[str]:
    """Names of the families that have at least one series, as in the table (counters with their `_total`)."""
    families = text_string_to_metric_families(text)
    return {family.name + ("_total" if family.type == "counter" else "") for family in families if family.samples}


def moved(text: str) -> set[str]:
    """Of these the ones in which something was counted: at least one value is not 0."""
    families = text_string_to_metric_families(text)
    return {
        family.name + ("_total" if family.type == "counter" else "")
        for family in families
        if any(sample.value for sample in family.samples)
    }
