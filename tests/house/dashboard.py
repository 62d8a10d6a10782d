"""charts/l7lb/files/dashboard.json, from the table in `panels.yaml`. Grafana opens it without an edit.

The data source is a variable. Colours are those of Grafana's own palettes, so that both themes can show them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

Json = dict[str, Any]

SCHEMA: Final = 39
"""Of Grafana 10.4; later ones migrate it by themselves."""
WIDTH: Final = 24
TABLE: Final = Path(__file__).with_name("panels.yaml")
HERE: Final = 'namespace=~"$namespace"'
"""In every selector; without the label there is one value, the empty one, which `.*` takes as well."""
OURS: Final = f"and on (cluster, namespace, job, instance) l7lb_build_info{{{HERE}}}"
"""Beside names that other controllers have too."""
SOURCE: Final[Json] = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture. `queries`: legend -> expression."""

    title: str
    says: str
    queries: Mapping[str, str]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 8
    height: int = 8
    steps: tuple[tuple[float, str], ...] = ()
    stacked: bool = False
    decimals: int | None = None
    maximum: float | None = None
    instant: bool = False
    words: Mapping[str, str] = field(default_factory=dict)


def rows() -> Iterator[tuple[str, tuple[Panel, ...]]]:
    """Title and panels of each row."""
    for row in yaml.safe_load(TABLE.read_text(encoding="utf-8"))["rows"]:
        yield row["row"], tuple(Panel(**{**one, "queries": _expressions(one["queries"])}) for one in row["panels"])


def _expressions(queries: Mapping[str, str]) -> dict[str, str]:
    return {legend: one.replace("%ours%", OURS).replace("%here%", HERE) for legend, one in queries.items()}


def dashboard_page() -> str:
    """charts/l7lb/files/dashboard.json."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


def dashboard() -> Json:
    """What Grafana imports."""
    return {
        "uid": "l7lb",
        "title": "l7lb",
        "description": "Kubernetes Ingresses on Tencent Cloud load balancers: how they stand, and what keeps them so.",
        "tags": ["l7lb", "ingress", "kubernetes"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "timepicker": {},
        "timezone": "",
        "links": [],
        "annotations": {"list": [_annotation()]},
        "templating": {"list": [_source(), _namespace()]},
        "panels": list(_panels()),
    }


def _source() -> Json:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
    }


def _namespace() -> Json:
    query = "label_values(l7lb_build_info, namespace)"
    return {
        "name": "namespace",
        "label": "Namespace",
        "type": "query",
        "datasource": SOURCE,
        "definition": query,
        "query": {"query": query, "refId": "namespace"},
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "allValue": ".*",
        "hide": 0,
        "includeAll": True,
        "multi": True,
        "options": [],
        "refresh": 2,
        "regex": "",
        "sort": 1,
    }


def _annotation() -> Json:
    lead = f'leader_election_master_status{{name=~"l7lb-.+", {HERE}}}'
    return {
        "name": "A replica takes the lead",
        "datasource": SOURCE,
        "enable": True,
        "hide": False,
        "iconColor": "blue",
        "expr": f"sum by (instance) ({lead}) == 1 unless sum by (instance) ({lead} offset 1m) == 1",
        "titleFormat": "{{instance}} takes the lead",
        "step": "60s",
    }


def _panels() -> Iterator[Json]:
    number, top = 0, 0
    for title, panels in rows():
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": title,
            "collapsed": False,
            "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": top},
            "panels": [],
        }
        top, left, height = top + 1, 0, 0
        for panel in panels:
            if left + panel.width > WIDTH:
                top, left, height = top + height, 0, 0
            number += 1
            yield _panel(panel, number, {"h": panel.height, "w": panel.width, "x": left, "y": top})
            left, height = left + panel.width, max(height, panel.height)
        top += height


def _panel(panel: Panel, number: int, place: Json) -> Json:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": _OPTIONS[panel.kind],
        "targets": [
            {
                "refId": chr(ord("A") + place_in_list),
                "datasource": SOURCE,
                "editorMode": "code",
                "expr": expression,
                "legendFormat": legend or "__auto",
                "range": not (panel.instant or panel.kind == "stat"),
                "instant": panel.instant or panel.kind == "stat",
            }
            for place_in_list, (legend, expression) in enumerate(panel.queries.items())
        ],
    }


def _field(panel: Panel) -> Json:
    base = panel.steps[0][1] if panel.steps and panel.steps[0][0] <= 0 else "green"
    steps: list[Json] = [{"color": base, "value": None}]
    steps += [{"color": colour, "value": at} for at, colour in panel.steps if at > 0]
    made: Json = {
        "unit": panel.unit,
        "min": 0 if panel.kind == "timeseries" else None,
        "color": {"mode": "thresholds" if panel.kind != "timeseries" else "palette-classic"},
        "thresholds": {"mode": "absolute", "steps": steps},
        "mappings": [
            {"type": "value", "options": {value: {"text": word, "index": place}}}
            for place, (value, word) in enumerate(panel.words.items())
        ],
    }
    if panel.decimals is not None:
        made["decimals"] = panel.decimals
    if panel.maximum is not None:
        made["max"] = panel.maximum
    if panel.kind == "timeseries":
        made["custom"] = {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 30 if panel.stacked else 10,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if panel.steps else "off"},
        }
    return {name: value for name, value in made.items() if value is not None}


_OPTIONS: Final[Mapping[str, Json]] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    },
    "bargauge": {
        "displayMode": "basic",
        "orientation": "horizontal",
        "showUnfilled": True,
        "minVizHeight": 16,
        "minVizWidth": 8,
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    },
}
