"""Throws exceptions in turn, and prints them with traceback and with logging, a line of its own between two of them."""
import asyncio
import logging
import os
import sys
import time
import traceback

logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


class OrderError(Exception):
    pass


def sync(number):
    return {}[number]


def chained(number):
    try:
        sync(number)
    except KeyError as error:
        raise OrderError(f"order {number}") from error


def while_handling(number):
    try:
        sync(number)
    except KeyError:
        raise ValueError(f"order {number}")


def in_task(number):
    async def task():
        await asyncio.sleep(0)
        raise RuntimeError(f"task {number}")

    asyncio.run(task())


KINDS = [sync, chained, while_handling, in_task]
for number in range(int(os.environ["COUNT"])):
    print(f"request {number}", file=sys.stderr)
    try:
        KINDS[number % len(KINDS)](number)
    except Exception:
        if number % 2 == 0:
            traceback.print_exc()
        else:
            logging.exception("request %d failed", number)
print("done", flush=True)
while True:
    time.sleep(60)
