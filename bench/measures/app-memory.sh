#!/usr/bin/env bash
# Private memory of one of ten tiny Node programs; what is above bare is what the manager puts into each.
. "$(dirname "$0")/../lib.sh"
bench_init "$1"

if [ "$ADAPTER" = bare ]; then
  pids=()
  for _ in {1..10}; do
    node "$APPS/tiny.js" &
    pids+=($!)
  done
  sleep 8
  record app-private KiB "$(private_kb "${pids[0]}")"
  kill "${pids[@]}"
else
  program=("$APPS/tiny.js")
  [ "$ADAPTER" = supervisor ] && program=("$(command -v node)" "$APPS/tiny.js") # it knows no interpreters
  pm_daemon_start
  pm_make_config 10 "${program[@]}"
  pm_start_config
  sleep 8
  record app-private KiB "$(private_kb "$(pm_app_pid s0)")"
fi
