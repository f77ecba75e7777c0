"""The five dashboards."""

from flows.reports.dashboards.board import Board, Panel, Query

_CAMERA = 'camera=~"$camera"'
_BY_CAMERA = "{{camera}}"


def _stat(title: str, unit: str, expr: str, help: str = "") -> Panel:  # noqa: A002 - Grafana's word
    return Panel(title, unit, [Query(expr)], help, is_stat=True)


def _chart(title: str, unit: str, expr: str, legend: str = "", help: str = "") -> Panel:  # noqa: A002
    return Panel(title, unit, [Query(expr, legend)], help)


FLEET = Board(
    "fleet",
    "Fleet",
    [
        _stat("Cameras live", "short", 'sum(streetloop_camera_state{state="live"})'),
        _stat("Cameras lost or failed", "short", 'sum(streetloop_camera_state{state=~"lost|failed"})'),
        _stat("Frames detected", "fps", 'sum(rate(streetloop_frames_total{fate="detected"}[5m]))'),
        _stat(
            "Share of frames dropped or failed",
            "percentunit",
            'sum(rate(streetloop_frames_total{fate=~"dropped|failed"}[5m]))'
            " / sum(rate(streetloop_frames_total[5m]))",
        ),
        _chart(
            "Frames by fate",
            "fps",
            "sum by (fate, reason) (rate(streetloop_frames_total[5m]))",
            "{{fate}} {{reason}}",
        ),
        _chart(
            "Lag, 95th percentile of each worker",
            "s",
            "histogram_quantile(0.95, sum by (le, worker) (rate(streetloop_worker_lag_seconds_bucket[5m])))",
            "{{worker}}",
        ),
        _chart("Cameras by state", "short", "sum by (state) (streetloop_camera_state)", "{{state}}"),
        _chart(
            "Cameras nearest to drift",
            "percentunit",
            "topk(10, streetloop_drift_statistic / streetloop_drift_threshold)",
            "{{camera}} {{feature}}",
            "1 is the threshold. A drift begins after three periods above it.",
        ),
        _chart("Open events", "short", "sum by (kind) (streetloop_events_open)", "{{kind}}"),
        _chart(
            "Reconnects", "short", "topk(10, increase(streetloop_camera_reconnects_total[1h]))", _BY_CAMERA
        ),
    ],
)
CAMERA = Board(
    "camera",
    "Camera",
    [
        _chart("State", "short", f"streetloop_camera_state{{{_CAMERA}}} == 1", "{{camera}} {{state}}"),
        _chart(
            "Frames by fate",
            "fps",
            f"sum by (camera, fate, reason) (rate(streetloop_frames_total{{{_CAMERA}}}[5m]))",
            "{{camera}} {{fate}} {{reason}}",
        ),
        _chart("Lag", "s", f"streetloop_lag_seconds{{{_CAMERA}}}", "{{camera}} p{{quantile}}"),
        Panel(
            "Drift: distance and threshold",
            "short",
            [
                Query(f"streetloop_drift_statistic{{{_CAMERA}}}", "{{camera}} {{feature}}"),
                Query(f"streetloop_drift_threshold{{{_CAMERA}}}", "{{camera}} threshold"),
            ],
        ),
        _chart(
            "Objects a minute", "short", f"60 * rate(streetloop_objects_total{{{_CAMERA}}}[5m])", _BY_CAMERA
        ),
        _chart(
            "Line crossings a minute",
            "short",
            f"60 * rate(streetloop_crossings_total{{{_CAMERA}}}[5m])",
            _BY_CAMERA,
        ),
    ],
    camera=True,
)
MODEL = Board(
    "model",
    "Model and rollout",
    [
        _stat("Challenger's share of the cameras", "percentunit", "streetloop_rollout_share"),
        _stat("Age of the phase", "s", "streetloop_rollout_phase_age_seconds"),
        _stat("Blocks with known truth", "short", "streetloop_rollout_blocks"),
        _chart("Phase", "short", "streetloop_rollout_phase == 1", "{{phase}}"),
        _chart("Rollouts that ended", "short", "streetloop_rollouts_total", "{{result}}"),
        _chart(
            "Computing time of a batch, 95th percentile",
            "s",
            "histogram_quantile(0.95,"
            " sum by (le, model) (rate(streetloop_detector_batch_seconds_bucket[5m])))",
            "{{model}}",
        ),
        _chart("Replicas", "short", "streetloop_replicas", "{{application}}"),
        _chart(
            "Frames a batch",
            "short",
            "sum by (model) (rate(streetloop_detector_batch_frames_sum[5m]))"
            " / sum by (model) (rate(streetloop_detector_batch_frames_count[5m]))",
            "{{model}}",
        ),
        _chart(
            "Detections a second",
            "short",
            "sum by (model) (rate(streetloop_detection_confidence_count[5m]))",
            "{{model}}",
        ),
        _chart(
            "Median confidence",
            "percentunit",
            "histogram_quantile(0.5, sum by (le, model) (rate(streetloop_detection_confidence_bucket[5m])))",
            "{{model}}",
        ),
    ],
)
LEARNING = Board(
    "learning",
    "Learning",
    [
        _stat("Labels for the next dataset", "short", 'streetloop_labels{state="labeled"}'),
        _stat("Oldest unanswered frame", "s", 'streetloop_labels_oldest_age_seconds{state="pushed"}'),
        _chart("Learning run", "short", "streetloop_learning_state == 1", "{{step}}"),
        _chart("Review queue", "short", "streetloop_labels", "{{state}}"),
        _chart("Learning runs that ended", "short", "streetloop_learning_runs_total", "{{result}}"),
        _chart("Age of waiting frames", "s", "streetloop_labels_oldest_age_seconds", "{{state}}"),
    ],
)
INFRASTRUCTURE = Board(
    "infrastructure",
    "Infrastructure and API",
    [
        _stat("Disk free", "percentunit", "streetloop_disk_free_bytes / streetloop_disk_size_bytes"),
        _stat("What a run depends on: away", "short", "count(streetloop_dependency_up == 0) or vector(0)"),
        _chart("Dependencies", "short", "streetloop_dependency_up", "{{dependency}}"),
        _chart("CPU", "percent", "ray_node_cpu_utilization", "{{ip}}"),
        _chart("Memory", "bytes", "ray_node_mem_used", "{{ip}}"),
        _chart("GPU", "percent", "avg(ray_node_gpus_utilization) or vector(0)", "GPU"),
        _chart("Memory by process", "bytes", "sum by (Component) (ray_component_rss_bytes)", "{{Component}}"),
        _chart(
            "HTTP requests a second",
            "reqps",
            "sum by (route) (rate(ray_serve_num_http_requests_total[5m]))",
            "{{route}}",
        ),
        _chart(
            "HTTP errors a second",
            "reqps",
            "sum by (error_code) (rate(ray_serve_num_http_error_requests_total[5m])) or vector(0)",
            "{{error_code}}",
        ),
        _chart(
            "HTTP time, 95th percentile",
            "ms",
            "histogram_quantile(0.95,"
            " sum by (le, route) (rate(ray_serve_http_request_latency_ms_bucket[5m])))",
            "{{route}}",
        ),
        _chart("Errors logged", "short", "increase(streetloop_errors_total[1h]) or vector(0)", "{{module}}"),
        _chart(
            "Detections that sinks did not get",
            "short",
            'increase(streetloop_sink_frames_total{fate="dropped"}[1h])',
            "{{sink}}",
        ),
        _chart("Time since a worker reported", "s", "streetloop_worker_report_age_seconds", "{{worker}}"),
        _chart("Age of what event sinks wait for", "s", "streetloop_sink_outbox_age_seconds", "{{sink}}"),
        _chart("Changes that event sinks wait for", "short", "streetloop_sink_outbox_changes", "{{sink}}"),
        _chart("Recorded video that waits for the store", "bytes", "streetloop_spool_bytes"),
        _chart("Its segments", "short", "streetloop_spool_segments"),
        _chart("Age of its oldest segment", "s", "streetloop_spool_oldest_age_seconds"),
        _chart("Restarts", "short", "increase(streetloop_restarts_total[1h])", "{{process}}"),
    ],
)
BOARDS = (FLEET, CAMERA, MODEL, LEARNING, INFRASTRUCTURE)
