"""A program that towline runs (Kube_Token_Command) has none of its files and sockets."""

import http.client
import os
import pathlib

import pytest
from fake_server import FakeServer
from harness.fake_kube import NODE, FakeKube, made


@pytest.fixture
def fake_kube():
    fake = FakeKube()
    yield fake
    fake.close()


@pytest.fixture
def fake_index():
    fake = FakeServer()
    yield fake
    fake.close()


def descriptors(towline):
    """{what it leads to: it is closed by exec}, but the three that a process begins with."""
    found = {}
    with towline.standing():
        for fd in pathlib.Path(f"/proc/{towline.process.pid}/fd").iterdir():
            info = fd.parents[1] / "fdinfo" / fd.name
            flags = int(info.read_text().partition("flags:")[2].split()[0], 8)
            if int(fd.name) > 2:
                found[f"{fd.name} {os.readlink(fd)}"] = bool(flags & os.O_CLOEXEC)
    return found


def test_each_descriptor_is_closed_by_exec(
    config, table, node, run, fake_kube, fake_index
):
    """With all that opens some: files, directories, the state, each server, a guest."""
    pod = made("matillion-agent-0", {"app": "a"})
    fake_kube.put(pod)
    settings = config(fake_index.output, table.output)
    settings.filters[0] |= {
        "Kube_URL": fake_kube.url,
        "Kube_Token_Command": "echo token",
        "Kube_Node_Name": NODE,
    }
    log = node.container(uid=pod["metadata"]["uid"])
    log.write("a line")
    log.rotate()
    log.write("another")
    towline = run(settings)
    towline.until_metric("towline_delivered_total", 4)
    towline.until_metric("towline_kube_up", 1)
    guest = http.client.HTTPConnection(*towline.address)
    guest.request("GET", "/healthz")
    assert guest.getresponse().read() == b"ok\n"
    found = descriptors(towline)
    guest.close()
    assert sum("socket:" in name for name in found) >= 5, found
    assert [name for name, closed in found.items() if not closed] == []
