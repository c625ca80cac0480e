"""The API server tells of a pod late, or cannot be reached: its file waits for a
bounded time while all others go on, then its lines go without labels."""

import time

import pytest
from harness.watched import labels, until_labels, up


@pytest.fixture
def unbound(watched):
    """A pod that has a uid and a log, and is of no node yet: towline is not told of
    it until bind()."""
    pod = watched.kube.pod(watched.namespace, None, None, labels={"app": "late"})
    log = pod.log(watched.node)
    log.write("waits")

    return log, lambda: pod.bind(watched.host)


def test_a_file_waits_for_its_pod_while_all_others_go_on(watched, unbound, table, run):
    watched.filter["Pod_Wait"] = 60
    log, bind = unbound
    _, other = watched.running("known", labels={"app": "known"})
    towline = up(run(watched.config))
    assert labels(table, "known") == {"app": "known"}
    towline.until_metric("towline_pod_waits", 1)
    log.write("waits, too")
    other.write(*(f"line {n}" for n in range(1000)))
    table.until_count(1001)
    assert "waits" not in table.logs()
    bind()
    table.until_count(1003)
    assert labels(table, "waits") == labels(table, "waits, too") == {"app": "late"}
    towline.until_metric("towline_pod_waits", 0)
    assert towline.metric("towline_unenriched_records_total") == 0


def test_lines_go_without_after_pod_wait_and_later_ones_have_labels_again(
    watched, unbound, table, run
):
    log, bind = unbound
    began = time.monotonic()
    towline = run(watched.config)
    document = table.document("waits")
    assert time.monotonic() - began >= 1
    assert "labels" not in document["kubernetes"]
    assert document["kubernetes"]["pod_id"] == log.folder.parent.name.rpartition("_")[2]
    log.write("at once")
    assert labels(table, "at once") is None
    assert towline.metric("towline_unenriched_records_total") == 2
    bind()
    until_labels(table, log, {"app": "late"})
    count = towline.metric("towline_unenriched_records_total")
    log.write("last")
    assert labels(table, "last") == {"app": "late"}
    assert towline.metric("towline_unenriched_records_total") == count


def test_files_wait_for_the_first_answer_of_an_api_server_that_starts_later(
    watched, relay, table, run
):
    """Longer than for a pod that it does not know."""
    relay.kill()
    watched.filter |= {"Pod_Wait": 0, "API_Wait": 60}
    watched.running("a line", labels={"app": "a"})
    towline = run(watched.config)
    towline.until_said("kube +127.0.0.1:[0-9]+: Failed to connect")
    towline.until_metric("towline_pod_waits", 1)
    status, why = towline.get("/readyz")
    assert status == 503 and "pods' labels: 127.0.0.1" in why
    assert table.count() == 0
    relay.start()
    assert labels(table, "a line") == {"app": "a"}
    towline.until_ready()
    assert towline.metric("towline_unenriched_records_total") == 0


def test_an_api_server_that_does_not_come_holds_nobody_up(watched, relay, table, run):
    relay.kill()
    watched.filter |= {"Pod_Wait": 0, "API_Wait": 1}
    _, log = watched.running("a line", labels={"app": "a"})
    towline = run(watched.config)
    assert labels(table, "a line") is None
    towline.until_metric("towline_unenriched_records_total", 1)
    assert towline.get("/readyz")[0] == 503
    relay.start()
    until_labels(table, log, {"app": "a"})
    towline.until_ready()


def test_what_changed_while_the_api_was_away_is_known_when_it_is_back(
    watched, relay, table, run
):
    pod, log = watched.running("before", labels={"app": "1"})
    towline = up(run(watched.config))
    relay.kill()
    towline.until_metric("towline_kube_up", 0)
    pod.label(app="2")
    late, its_log = watched.running("of a new pod", labels={"app": "new"})
    log.write("meanwhile")
    assert labels(table, "meanwhile") == {"app": "1"}
    assert labels(table, "of a new pod") is None
    assert towline.get("/readyz")[0] == 200, "it has been told of all pods once"
    relay.start()
    until_labels(table, log, {"app": "2"})
    until_labels(table, its_log, {"app": "new"})
    towline.until_metric("towline_kube_up", 1)
    assert towline.metric("towline_kube_requests_total", verb="watch") >= 2


def test_without_a_token_nothing_waits_and_it_is_said(watched, table, run):
    watched.filter |= {"Pod_Wait": 60, "API_Wait": 60}
    token = watched.token.read_text()
    watched.token.unlink()
    _, log = watched.running("a line", labels={"app": "a"})
    towline = run(watched.config)
    assert labels(table, "a line") is None
    towline.until_said(f"cannot read Kube_Token_File {watched.token}: No such file")
    status, why = towline.get("/readyz")
    assert status == 503 and "the service account's token is mounted" in why
    assert towline.metric("towline_kube_requests_total") == 0
    watched.token.write_text(token)
    until_labels(table, log, {"app": "a"})
    towline.until_ready()


def test_outside_a_cluster_nothing_is_asked_and_it_is_said(watched, table, run):
    for option in [key for key in watched.filter if key.startswith("Kube_")]:
        del watched.filter[option]
    watched.filter |= {"Pod_Wait": 60, "API_Wait": 60}
    watched.running("a line", labels={"app": "a"})
    towline = run(watched.config)
    assert labels(table, "a line") is None
    towline.until_said("not in a cluster")
    towline.until_ready()
    assert towline.metric("towline_kube_requests_total") == 0
    assert towline.metric("towline_unenriched_records_total") == 0


def test_a_line_without_labels_is_counted_once_however_often_it_is_read(
    watched, settings, table, run
):
    """The output takes nothing, and no batch is free."""
    settings.service |= {"Batches": 2, "Batch_Size": "64K"}
    watched.filter |= {"Pod_Wait": 0, "API_Wait": 0}
    lines = [f"{n} {'x' * 500}" for n in range(2000)]
    log = watched.node.container(namespace=watched.namespace)
    log.write("first")
    towline = run(watched.config)
    table.until_count(1)
    with table.locked():
        log.write(*lines)
        towline.until_metric("towline_queue_batches", 2)
        towline.until_metric("towline_records_total", len(lines) + 1)
    table.until_count(len(lines) + 1)
    towline.until_metric("towline_unenriched_records_total", len(lines) + 1)
