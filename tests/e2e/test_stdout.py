"""Standard output as an output: what it does not take is not shipped, and the exit code says it."""

import json
import signal

import pytest

LINES = [f"line {i:05d}" for i in range(3000)]


def into(redirection):
    return {"under": ("sh", "-c", f'exec "$@" {redirection}', "sh")}


def closed_pipe():
    """A pipe whose reader has gone before anything is written."""
    program = "import os, sys; r, w = os.pipe(); os.close(r); os.dup2(w, 1);"
    program += "os.execvp(sys.argv[1], sys.argv[1:])"
    return {"under": ("python3", "-c", program)}


@pytest.fixture
def settings(node, config):
    node.container().write(*LINES)
    return config({"Name": "stdout"})


def logs(file):
    return [json.loads(line)["log"] for line in file.read_text().splitlines()]


def test_what_was_not_taken_is_written_by_the_next_run(settings, run, tmp_path):
    file = tmp_path / "out"
    for bad in into("> /dev/full"), into(">&-"), closed_pipe():
        failed = run(settings, "--exit-on-eof", wait=False, **bad)
        assert failed.wait() == 1, bad
        assert "records wait in their files" in failed.said()
        assert (
            "records were not delivered in time; they are read again" in failed.said()
        )
    done = run(settings, "--exit-on-eof", wait=False, **into(f"> {file}"))
    assert done.wait() == 0
    assert logs(file) == LINES
    done = run(settings, "--exit-on-eof", wait=False, **into(f"> {file}"))
    assert done.wait() == 0 and logs(file) == []


def test_a_pipe_that_is_closed_ends_a_run_that_follows(settings, run):
    towline = run(settings, **closed_pipe())
    assert towline.wait() == 1


def test_a_full_device_is_waited_for(settings, run):
    towline = run(settings, **into("> /dev/full"))
    towline.until_said("standard output: No space left on device")
    status, body = towline.get("/readyz")
    assert status == 503 and "standard output cannot be written" in body
    assert towline.metric("towline_delivered_total") == 0
    towline.process.send_signal(signal.SIGTERM)
    assert towline.wait() == 1
