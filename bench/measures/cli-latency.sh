#!/usr/bin/env bash
# `list` with a warm daemon and $SIZES services, $RUNS times each: the ratio to `node -e 0` measured in turn with it.
. "$(dirname "$0")/../lib.sh"
bench_init "$1"

for n in $SIZES; do
  pm_fresh
  pm_daemon_start
  pm_make_config "$n" /bin/sleep $SLEEP_SECONDS
  pm_start_config
  sleep 3
  [ "$(pm_online)" = "$n" ] || echo "only $(pm_online) of $n services run"
  read -r bare_ms list_ms ratio < <(node "$TOOLS/in-turn.mjs" "$RUNS" "$PM_LIST")
  record "list.$n" 'x node -e 0' "$ratio"
  record "list-ms.$n" ms "$list_ms"
  (ADAPTER=bare record "list-ms.$n" ms "$bare_ms")
done
