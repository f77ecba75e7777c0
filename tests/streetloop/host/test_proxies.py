import pytest

from streetloop.errors import ConfigError
from streetloop.host.proxies import exempt_loopback, refuse_socks


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
        refuse_socks({name: value})
    assert "hunter2" not in str(refused.value)


def test_another_proxy_is_not_refused() -> None:
    refuse_socks({"http_proxy": "http://socks.example:3128", "PATH": "socks"})
