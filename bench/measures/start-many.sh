#!/usr/bin/env bash
# $SIZES `sleep` processes from a configuration file: until the command has returned, until the last process began,
# and until none is left after `delete all`. Bare: bash starts them in a loop, and kills them.
. "$(dirname "$0")/../lib.sh"
bench_init "$1"

uptime_ms() { awk '{ print int($1 * 1000) }' /proc/uptime; }
sleepers() { node "$TOOLS/sleepers.mjs" $SLEEP_SECONDS "${1:-0}"; } # [SINCE_MS]: COUNT LAST_MS
no_sleepers() { [ "$(sleepers | cut -d' ' -f1)" = 0 ]; }

bare() { # N
  local started=() began i
  for ((r = 0; r < REPS; r++)); do
    began=$(now_ms) started=()
    for ((i = 0; i < $1; i++)); do
      sleep $SLEEP_SECONDS &
      started+=($!)
    done
    returned+=($(($(now_ms) - began)))
    began=$(now_ms)
    kill "${started[@]}"
    wait "${started[@]}" 2>/dev/null
    deleted+=($(($(now_ms) - began)))
  done
}

managed() { # N
  local began uptime count
  pm_make_config "$1" /bin/sleep $SLEEP_SECONDS
  for ((r = 0; r < REPS; r++)); do
    pm_fresh
    pm_daemon_start
    sleep 1
    uptime=$(uptime_ms) began=$(now_ms)
    pm_start_config
    returned+=($(($(now_ms) - began)))
    sleep 1
    read -r count last_ms < <(sleepers "$uptime")
    last+=("$last_ms")
    [ "$count" = "$1" ] || echo "only $count of $1 processes live"
    began=$(now_ms)
    pm_delete_all
    wait_for 120 no_sleepers
    deleted+=($(($(now_ms) - began)))
  done
}

for n in $SIZES; do
  returned=() last=() deleted=()
  if [ "$ADAPTER" = bare ]; then bare "$n"; else managed "$n"; fi
  record "start.$n" ms "${returned[@]}"
  [ "$ADAPTER" = bare ] || record "start-last.$n" ms "${last[@]}"
  record "delete.$n" ms "${deleted[@]}"
done
