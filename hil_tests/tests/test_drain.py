"""The end of an outage, in short: 20 lifts and an hour; `liftwatch bench drain` is the long form, 100 lifts and a day."""

import pathlib

import pytest

from hil_tests.measure.drain import Outage
from hil_tests.measure.figures import percentile
from hil_tests.services import gauge, wait_until

pytestmark = pytest.mark.chain

LIFTS, SECONDS = 20, 3600
# Of the gateway's example configuration.
RECORDS_PER_S, BUDGET_MS = 20_000, 250
# 8.64 million in ten minutes.
LEAST_PER_S = 14_400
# InfluxDB's start, and the gateway's next look at it.
START_S = 8


def test_a_backlog_reaches_influxdb_whole_at_a_bounded_rate_while_alarms_keep_their_budget(
    tmp_path: pathlib.Path,
) -> None:
    with Outage(tmp_path, LIFTS, SECONDS) as outage:
        outage.run(quiet_s=5)
        made = outage.made()
        assert sum(made.values()) > LIFTS * SECONDS
        assert outage.in_influx() == made
        for phase in outage.phases.values():
            assert phase.lost == 0
            assert len(phase.at_city) > 10
            assert percentile(phase.at_city, 0.99) < BUDGET_MS, phase.name
        drain = outage.phases["drain"]
        assert drain.most_records_per_s < 1.1 * RECORDS_PER_S
        assert drain.seconds < START_S + drain.records / LEAST_PER_S

        # A gateway with empty stores asks: what the nodes still hold comes again, once, and nothing is missing.
        outage.replace_gateway()
        total = sum(made.values())
        wait_until(lambda: gauge(outage.metrics_url, "influx_records") >= total, 60, "the second hand-over")
        wait_until(outage.receipted, 20, "its receipts")
        assert gauge(outage.metrics_url, "influx_records") == total
        assert gauge(outage.metrics_url, "log_gaps") == 0
        assert outage.in_influx() == made
