"""`python -m tests.chart`: writes what the chart renders with the least values, to be read and committed."""

from tests.chart.rendering import template
from tests.chart.test_rendering import EXPECTED

EXPECTED.write_text(template(), encoding="utf-8")
