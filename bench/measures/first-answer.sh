#!/usr/bin/env bash
# No daemon, no home: from `start` of a small HTTP server to its first answer. Bare: `node` itself, the same client.
. "$(dirname "$0")/../lib.sh"
bench_init "$1"

times=()
for ((i = 0; i < REPS; i++)); do
  [ "$ADAPTER" = bare ] || pm_fresh
  began=$(now_ms)
  if [ "$ADAPTER" = bare ]; then node "$APPS/http.js" "$BENCH_PORT" & else pm_start web "$APPS/http.js" "$BENCH_PORT" & fi
  started=$!
  wait_http "$BENCH_PORT"
  times+=($(($(now_ms) - began)))
  [ "$ADAPTER" = bare ] && kill "$started"
  wait "$started" 2>/dev/null
done
record first-answer ms "${times[@]}"
