"""The producer: one JSON request a line, one JSON answer a line. Times are taken in here."""

import json
import os
import sys
import threading
import time

import redis
from celery import chain, chord, group

import tasks

INPUT_PAD = "x" * 165
# Where priorities are of no interest there is one line for all, as Celery has it by default.
URGENT, PATIENT = (0, 9) if os.environ["BENCH_NAME"] == "backlog" else (None, None)
results = redis.Redis.from_url(tasks.REDIS + "/1")
broker = redis.Redis.from_url(tasks.REDIS + "/0")
samples = []
enqueued = 0


def data_of(i):
    return {"i": i, "kind": "bench", "pad": INPUT_PAD}


def enqueue_bulk(count):
    global enqueued
    for start in range(0, count, 1000):
        jobs = group(tasks.noop.s(data_of(i)) for i in range(start, min(count, start + 1000)))
        handed_in = jobs.apply_async(priority=PATIENT)
        samples[:] = handed_in.results[:10]
    enqueued += count


def enqueue_each(count, inflight):
    global enqueued
    numbers, lock = iter(range(count)), threading.Lock()

    def lane():
        while True:
            with lock:
                i = next(numbers, None)
            if i is None:
                return
            handed_in = tasks.noop.apply_async((data_of(i),))
            if i < 10:
                samples.append(handed_in)

    samples.clear()
    lanes = [threading.Thread(target=lane) for _ in range(min(inflight, count))]
    for one in lanes:
        one.start()
    for one in lanes:
        one.join()
    enqueued += count


def all_ended():
    while results.dbsize() < enqueued:
        time.sleep(0.02)


def unended():
    return enqueued - results.dbsize()


def verify():
    if not samples or not all(sample.get(timeout=5)["ok"] for sample in samples):
        raise AssertionError("results are missing")


def round_trips(count, urgency):
    global enqueued
    times = []
    for i in range(count):
        start = time.perf_counter()
        tasks.noop.apply_async((data_of(i),), priority=URGENT if urgency == "urgent" else PATIENT).get(timeout=60)
        times.append((time.perf_counter() - start) * 1000)
    enqueued += count
    return times


def run_chord(children):
    return chord(tasks.noop.s(data_of(i)) for i in range(children))(tasks.count.s()).get(timeout=300)


def run_chains(chains, steps):
    rest = [tasks.add_one.s()] * (steps - 1)
    handed_in = [chain(tasks.add_one.s({"i": 0}), *rest).apply_async() for _ in range(chains)]
    return sum(1 for one in handed_in if one.get(timeout=300)["i"] == steps)


def enqueue_slow(count, ms):
    for i in range(count):
        tasks.slow.apply_async(({"i": i, "ms": ms},))


known = [enqueue_bulk, enqueue_each, all_ended, unended, verify, round_trips, run_chord, run_chains, enqueue_slow]
functions = {function.__name__: function for function in known}
print(json.dumps({"value": "ready"}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"value": functions[request["name"]](*request["args"])}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
