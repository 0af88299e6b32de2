#!/usr/bin/env bash
# All processes that the manager adds, with $SIZES `sleep` services: private memory 8 s after the start and after
# $IDLE_SECONDS of idling, and the processor time of that idling.
. "$(dirname "$0")/../lib.sh"
bench_init "$1"

for n in $SIZES; do
  pm_fresh
  pm_daemon_start
  if [ "$n" != 0 ]; then
    pm_make_config "$n" /bin/sleep $SLEEP_SECONDS
    pm_start_config
  fi
  sleep 8
  mapfile -t pids < <(pm_pids)
  record "private.$n" KiB "$(private_kb "${pids[@]}")"
  record "processes.$n" processes "${#pids[@]}"
  sleep "$SETTLE_SECONDS"
  before=$(cpu_ms "${pids[@]}")
  sleep "$IDLE_SECONDS"
  record "idle-cpu.$n" ms/min "$((($(cpu_ms "${pids[@]}") - before) * 60 / IDLE_SECONDS))"
  record "private-idle.$n" KiB "$(private_kb "${pids[@]}")"
done
