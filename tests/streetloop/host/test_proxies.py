from pathlib import Path

import pytest

from streetloop.errors import ConfigError
from streetloop.host.proxies import exempt_loopback, require_http_client


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
def test_servers_of_this_machine_are_reached_without_the_proxy(name: str) -> None:
    environ = {name: "http://proxy:3128"}
    exempt_loopback(environ)
    assert environ["NO_PROXY"] == environ["no_proxy"] == "localhost,127.0.0.1,::1"
    exempt_loopback(environ)
    assert environ["NO_PROXY"] == "localhost,127.0.0.1,::1"


@pytest.mark.parametrize("environ", [{}, {"http_proxy": ""}, {"http_proxy": "http://p", "NO_PROXY": "*"}])
def test_without_a_proxy_the_environment_stays_as_it_is(environ: dict[str, str]) -> None:
    before = dict(environ)
    exempt_loopback(environ)
    assert environ == before


@pytest.mark.parametrize("name", ["ALL_PROXY", "all_proxy", "HTTPS_PROXY"])
@pytest.mark.parametrize("value", ["socks://user:hunter2@h:1", "socks5h://h:1", "SOCKS4://h:1"])
def test_a_socks_proxy_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: .*unset it") as refused:
        require_http_client({name: value})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("value", ["odd://user:hunter2@h:1", "tcp://h:1"])
def test_a_proxy_that_no_client_speaks_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match=r"^https_proxy: only http:// and https:// proxies") as refused:
        require_http_client({"https_proxy": value})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_are_not_there_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: /nowhere cannot be read; unset it"):
        require_http_client({name: "/nowhere"})
    require_http_client({name: str(tmp_path)})


@pytest.mark.parametrize("value", ["http://socks.example:3128", "proxy:3128", ""])
def test_another_proxy_is_not_refused(value: str) -> None:
    require_http_client({"http_proxy": value, "PATH": "socks"})
