"""The endpoint over real HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from flows.runtime.metrics.endpoint import TARGETS_FILE, MetricsEndpoint, metrics_endpoint
from streetloop.errors import ConfigError
from streetloop.settings import Settings

OF_RAY = """\
# HELP ray_node_mem_used Memory
# TYPE ray_node_mem_used gauge
ray_node_mem_used{ip="127.0.0.1"} 5.0
# HELP ray_grpc_server_req_new_total Calls
# TYPE ray_grpc_server_req_new_total counter
ray_grpc_server_req_new_total 9.0
"""


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[MetricsEndpoint]:
    with metrics_endpoint(Settings(home=tmp_path), None) as endpoint:
        endpoint.text = lambda: "streetloop_info 1.0\n"
        yield endpoint


def get(endpoint: MetricsEndpoint, path: str = "/metrics", token: str | None = None) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.get(f"http://{endpoint.address}{path}", headers=headers, trust_env=False)


@contextmanager
def exporter(text: str, status: int = 200) -> Iterator[str]:
    class Ray(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Ray) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_it_says_the_metrics_in_prometheus_format(endpoint: MetricsEndpoint) -> None:
    answer = get(endpoint)
    assert answer.text == "streetloop_info 1.0\n"
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert get(endpoint, "/").status_code == 404


def test_it_adds_what_matters_of_ray(endpoint: MetricsEndpoint) -> None:
    with exporter(OF_RAY) as endpoint.ray_address:
        assert get(endpoint).text == "streetloop_info 1.0\n" + "".join(
            f"{line}\n" for line in OF_RAY.splitlines()[:3]
        )


@pytest.mark.parametrize("status", [404, 500])
def test_a_ray_that_does_not_answer_costs_its_own_metrics_alone(
    endpoint: MetricsEndpoint, status: int
) -> None:
    with exporter("no", status) as endpoint.ray_address:
        assert get(endpoint).text == "streetloop_info 1.0\n"
    assert get(endpoint).text == "streetloop_info 1.0\n"


def test_a_fault_of_ours_is_an_error_and_the_next_scrape_is_answered(endpoint: MetricsEndpoint) -> None:
    working, endpoint.text = endpoint.text, lambda: str(1 / 0)
    assert get(endpoint).status_code == 500
    endpoint.text = working
    assert get(endpoint).status_code == 200


def test_prometheus_finds_it_by_a_file_while_it_runs(tmp_path: Path) -> None:
    with metrics_endpoint(Settings(home=tmp_path), None) as endpoint:
        (group,) = json.loads((tmp_path / TARGETS_FILE).read_text())
        assert group["targets"] == [endpoint.address]
    assert not (tmp_path / TARGETS_FILE).exists()


def test_with_a_token_it_asks_for_it(tmp_path: Path) -> None:
    with metrics_endpoint(Settings(home=tmp_path, api_token="sesame"), None) as endpoint:  # type: ignore[arg-type]
        assert get(endpoint).status_code == 401
        assert get(endpoint, token="wrong").status_code == 401
        assert get(endpoint, token="sesame").status_code == 200


def test_without_a_token_it_stays_on_loopback(tmp_path: Path) -> None:
    with metrics_endpoint(Settings(home=tmp_path, app_host="0.0.0.0"), None) as endpoint:
        assert endpoint.address.startswith("127.0.0.1:")


def test_a_port_that_is_taken_is_refused_by_name(tmp_path: Path, endpoint: MetricsEndpoint) -> None:
    port = int(endpoint.address.rpartition(":")[2])
    with pytest.raises(ConfigError, match=rf"--metrics-port {port}: .*name another port"):
        MetricsEndpoint(Settings(home=tmp_path), port)
