"""An ordinary WSGI application; gunicorn takes LISTEN_FDS by itself."""

import json
import os
import time
import zlib
from urllib.parse import parse_qsl


def application(environ, start_response):
    query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    route = ROUTES.get(environ["PATH_INFO"])
    if route is None:
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    return route(environ, start_response, query)


def answer_json(start_response, answer):
    body = json.dumps({"pid": os.getpid(), **answer}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


def pid(environ, start_response, query):
    time.sleep(float(query.get("ms", 0)) / 1000)
    return answer_json(start_response, {"id": query.get("id")})


def total(environ, start_response, query):
    body = environ["wsgi.input"].read()
    answer = {"id": query.get("id"), "bytes": len(body), "crc32": zlib.crc32(body)}
    return answer_json(start_response, answer)


def download(environ, start_response, query):
    size = int(query.get("bytes", 65536)) - 8
    chunks = 8
    start = f"pid {os.getpid()} ".encode()
    text = (start + b"the quick brown fox jumps over the lazy dog. " * (size // 45 + 1))[:size]
    start_response("200 OK", [("Content-Type", "text/plain")])  # without a length: in chunks
    step = -(-size // chunks)
    for offset in range(0, size, step):
        yield text[offset : offset + step]
        time.sleep(float(query.get("ms", 0)) / 1000 / chunks)
    yield f"{zlib.crc32(text):08x}".encode()


ROUTES = {"/pid": pid, "/health": pid, "/sum": total, "/download": download}
