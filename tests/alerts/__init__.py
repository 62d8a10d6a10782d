"""Rules, their unit tests in promtool's format (*.yaml here), the dashboard, and what holds them to the product."""
