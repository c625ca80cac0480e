"""A node full of pods costs what is stated, however often they change.  The full
form, with figures: make bench-kube."""

import pytest
from harness.scale import ERRORS, REQUESTS, Crowd, kube_cpu
from harness.towline import SANITIZED

MIB = 1 << 20
PODS = 300


@pytest.fixture
def crowd(kube, tmp_path, node):
    made = Crowd(kube, tmp_path, node, PODS, 50)
    yield made
    made.end()


@pytest.mark.alone
def test_pods_that_change_all_the_time_cost_no_more(crowd):
    crowd.start()
    with crowd.written():
        crowd.until_read(2)
        assert crowd.asks.metric("towline_kube_pods") == PODS
        stated = crowd.asks.metric("towline_memory_limit_bytes")
        more = stated - crowd.alone.metric("towline_memory_limit_bytes")
        assert more == 16 * MIB + 2 * PODS * 16384
        crowd.change(2, 100)
        before, spent = crowd.more(), kube_cpu(crowd.asks)
        assert SANITIZED or before < 8 * MIB
        crowd.change(8, 100)
        # What changed was 3 MiB.
        assert SANITIZED or crowd.more() - before < 2 * MIB
        assert SANITIZED or kube_cpu(crowd.asks) - spent < 4
        assert min(crowd.seen_after(f"late{n}") for n in range(3)) < 1
    # Its rights are list and watch of pods: another request would be an error.
    assert crowd.asks.by(ERRORS, "reason") == {}
    assert crowd.asks.by(REQUESTS, "verb") == {"get": 1, "watch": 1}
