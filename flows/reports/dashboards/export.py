"""Writes dashboards and alert rules as files."""

from pathlib import Path

from flows.reports.dashboards.boards import BOARDS
from flows.reports.dashboards.grafana import to_grafana
from flows.reports.dashboards.rules import kubernetes_rules, prometheus_rules
from streetloop.errors import ConfigError
from streetloop.host.files import write_whole

RULES_FILE, KUBERNETES_FILE = "alerts.yaml", "prometheusrule.yaml"


def export_dashboards(folder: Path, runbook: str) -> list[Path]:
    """Write everything into a folder, which is made; files of these names are replaced.

    Args:
        folder: Where to.
        runbook: Address of the runbook, which alerts link.

    Returns:
        The files.

    Raises:
        ConfigError: A file cannot be written.
    """
    content = {f"grafana/{board.name}.json": to_grafana(board) for board in BOARDS}
    content |= {RULES_FILE: prometheus_rules(runbook), KUBERNETES_FILE: kubernetes_rules(runbook)}
    try:
        for name, text in content.items():
            write_whole(folder / name, text)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror}") from error
    return [folder / name for name in content]
