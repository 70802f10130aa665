"""Celery's worker: prints READY, and ends when its input does, so that it never outlives the bench."""

import os
import signal
import threading

from celery.signals import worker_ready

from tasks import app


@worker_ready.connect
def tell(**_):
    os.write(1, b"READY\n")


def end_with_input():
    # Not sys.stdin: its lock, held across the fork, would keep the worker's children from ever beginning.
    while os.read(0, 4096):
        pass
    # It leads a group of its own, and there is nothing in it that would be missed.
    os.killpg(0, signal.SIGKILL)


threading.Thread(target=end_with_input, daemon=True).start()
quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=ERROR"]
app.worker_main(["worker", "--pool=prefork", "--concurrency=" + os.environ["BENCH_CONCURRENCY"], *quiet])
