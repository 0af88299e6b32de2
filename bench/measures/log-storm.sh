#!/usr/bin/env bash
# Programs that write lines of 100 bytes as fast as stdout takes them: $STORMS are WRITERSxLINES. How long the writers need, what
# all that the manager adds uses of the processors, what of the lines is missing, and how long `list` takes meanwhile.
# Bare: each is piped into `cat >file`.
. "$(dirname "$0")/../lib.sh"
bench_init "$1"
MARKS=$SCRATCH/storm

writers_ready() { [ "$(cat "$MARKS"/ready.* 2>/dev/null | wc -l)" = "$1" ]; }

bare_start() { # NAME SCRIPT [ARG...]
  local name=$1
  shift
  node "$@" | cat >"$MARKS/$name.log" &
}
bare_stop() { touch "$MARKS/over"; wait; }

run() { # WRITERS LINES
  local i files=() before
  rm -rf "$MARKS" && mkdir -p "$MARKS"
  if [ "$ADAPTER" != bare ]; then pm_fresh && pm_daemon_start; fi
  for ((i = 0; i < $1; i++)); do
    if [ "$ADAPTER" = bare ]; then bare_start "w$i" "$APPS/storm.js" "$2" "$MARKS" "w$i"
    else pm_start "w$i" "$APPS/storm.js" "$2" "$MARKS" "w$i"; fi
  done
  wait_for 60 writers_ready "$1" || echo 'not all of the writers are ready'
  sleep 1
  [ "$ADAPTER" = bare ] || before=$(cpu_ms $(pm_pids))
  read -r wall_ms p50_ms max_ms < <(node "$TOOLS/storm.mjs" "$MARKS" "$1" "${PM_LIST:-}")
  [ "$ADAPTER" = bare ] || used+=($((($(cpu_ms $(pm_pids)) - before) * 1000000 / ($1 * $2))))
  wall+=("$wall_ms") p50+=("$p50_ms") max+=("$max_ms")
  sleep 2
  for ((i = 0; i < $1; i++)); do
    if [ "$ADAPTER" = bare ]; then files+=("$MARKS/w$i.log"); else files+=($(pm_log_files "w$i")); fi
  done
  missing+=("$(node "$TOOLS/missing-lines.mjs" "$1" "$2" "${files[@]}")")
  if [ "$ADAPTER" = bare ]; then bare_stop; else pm_fresh; fi
}

for storm in $STORMS; do
  wall=() used=() p50=() max=() missing=()
  for ((r = 0; r < REPS; r++)); do run "${storm%x*}" "${storm#*x}"; done
  id=${storm%x*}
  record "storm-wall.$id" ms "${wall[@]}"
  record "storm-missing.$id" lines "${missing[@]}"
  [ "$ADAPTER" = bare ] && continue
  record "storm-cpu.$id" ms "${used[@]}"
  record "storm-list.$id" ms "${p50[@]}"
  record "storm-list-max.$id" ms "${max[@]}"
done
