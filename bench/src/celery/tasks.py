"""The benched tasks and their Celery app; the worker and the producer both import it."""

import os
import time

from celery import Celery

REDIS = "redis://127.0.0.1:" + os.environ["BENCH_REDIS_PORT"]
RESULT_PAD = "y" * 70

app = Celery("bench", broker=REDIS + "/0", backend=REDIS + "/1")
app.conf.update(
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=int(os.environ["BENCH_PREFETCH"]),
    broker_pool_limit=60,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    # Without steps, Redis knows of no order but the one of arrival.
    broker_transport_options=(
        {"queue_order_strategy": "priority", "priority_steps": [0, 5, 9]} if os.environ["BENCH_NAME"] == "backlog" else {}
    ),
)


def result_of(i):
    return {"i": i, "ok": True, "pad": RESULT_PAD}


@app.task(name="noop")
def noop(data):
    return result_of(data["i"])


@app.task(name="slow")
def slow(data):
    with open(os.environ["BENCH_STARTS"], "a") as file:
        file.write("%d %d %d\n" % (data["i"], os.getpid(), time.time() * 1000))
    time.sleep(data["ms"] / 1000)
    return result_of(data["i"])


@app.task(name="count")
def count(results):
    return sum(1 for result in results if result["ok"])


@app.task(name="add_one")
def add_one(last):
    return result_of(last["i"] + 1)
