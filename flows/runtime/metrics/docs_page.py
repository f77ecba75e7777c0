"""Writes `docs/metrics.md` from the catalogue.

python -m flows.runtime.metrics.docs_page > docs/metrics.md
"""

import sys
from collections.abc import Iterable

from flows.runtime.metrics.catalogue import SECTIONS, Metric

_INTRODUCTION = """\
# Metrics

`streetloop run` and `streetloop up` answer Prometheus on the port of `--metrics-port`, on a free one without
it. The file `prometheus_targets.json` in the home names the address while a run lasts:

```yml
scrape_configs:
  - job_name: streetloop
    file_sd_configs: [{files: [/var/lib/streetloop/prometheus_targets.json]}]
    # authorization: {credentials_file: /etc/prometheus/streetloop-token}
```

The endpoint listens on loopback. With `api_token` it listens on `app_host` and asks for the token. A scrape
waits for no camera, ledger or server: it shows what was known last. A camera has at most 20 series, and no
label has an unbounded number of values. The series of a camera that is removed end.

[Dashboards and alerts](runbook.md) are made from these metrics.

`python -m flows.runtime.metrics.docs_page` writes this page from the code.
"""
_END = """\
## Of Ray

The endpoint adds some metrics of Ray's own exporter: `ray_node_*` (CPU, memory, GPU, disk and network of this
machine), `ray_component_cpu_percentage` and `ray_component_rss_bytes` of its processes, and `ray_serve_*`
(requests, errors and times of the detector and of the API). Ray's exporter has more. Prometheus finds it by
`/tmp/ray/session_latest/prom_metrics_service_discovery.json`; on a cluster it finds every machine there.

## Older names

These go with the next version.

| name | now |
|---|---|
| `ray_streetloop_frames` | `streetloop_frames_total` |
| `ray_streetloop_errors_total` | `streetloop_errors_total` |
"""


def metrics_page() -> str:
    """The page, Markdown."""
    return "\n".join([_INTRODUCTION, *(_section(*section) for section in SECTIONS.items()), _END])


def _section(title: str, metrics: Iterable[Metric]) -> str:
    rows = "".join(f"| `{m.name}` | {m.kind.value} | {_labels(m)} | {m.help} |\n" for m in metrics)
    return f"## {title}\n\n| metric | kind | labels | what |\n|---|---|---|---|\n{rows}"


def _labels(metric: Metric) -> str:
    return ", ".join(f"`{label}`" for label in metric.labels)


if __name__ == "__main__":
    sys.stdout.write(metrics_page())
