"""Unmodified client libraries of servers, whose events land once each, whatever happens to the collector."""

import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
import rudderstack.analytics.client
import segment.analytics.client

from snap_pipeline_tests.collector.conftest import RunningCollector

EVENTS = 2_000


def segment_client(key: str, url: str, *, gzip: bool) -> segment.analytics.client.Client:
    return segment.analytics.client.Client(key, host=url, gzip=gzip, max_retries=30, max_queue_size=EVENTS)


def rudder_client(key: str, url: str, *, gzip: bool) -> rudderstack.analytics.client.Client:
    return rudderstack.analytics.client.Client(key, host=url, gzip=gzip, max_retries=30, max_queue_size=EVENTS)


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("open_client", [segment_client, rudder_client])
def test_each_event_lands_once_though_the_collector_is_killed(
    collector: RunningCollector, open_client: Callable[..., segment.analytics.client.Client], gzip: bool
) -> None:
    client = open_client(collector.add_source("server"), collector.url, gzip=gzip)

    def kill_and_restart() -> None:
        for _ in range(2):
            time.sleep(0.4)
            collector.kill()
            collector.restart()

    trouble = threading.Thread(target=kill_and_restart)
    trouble.start()
    for number in range(EVENTS):
        client.track(user_id="ann-7", event="Order Completed", properties={"order_id": f"o-{number}", "value": 1})
        time.sleep(0.001)
    trouble.join()
    client.flush()
    client.join()
    collector.stop()
    ids = Counter(event["messageId"] for event in collector.landed())
    orders = {event["properties"]["order_id"] for event in collector.landed()}
    assert orders == {f"o-{number}" for number in range(EVENTS)}
    # What was on disk while its answer was lost is posted again under its id, which the pipeline takes once.
    assert len(ids) == EVENTS
