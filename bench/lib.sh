# Shared by bench/measures/*.sh; sourced, not run. Each measure is called as
#   MEASURE.sh ADAPTER      ADAPTER: bare, or a file of adapters/
# with its sizes and repetitions in the environment (run.mjs sets them), and appends one JSON line a figure to
# $BENCH_RECORDS. An adapter gives the functions pm_*; what they do must be the same work for each of them.
set -u
BENCH=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
APPS=$BENCH/apps
TOOLS=$BENCH/tools
: "${BENCH_WORK:=${TMPDIR:-/tmp}/upkeep-bench}" # scratch: installations, homes, configurations
: "${BENCH_RECORDS:=$BENCH_WORK/records.jsonl}"
: "${BENCH_PORT:=19180}"
SLEEP_SECONDS=8640123 # nobody else on this machine sleeps for exactly as long

bench_init() { # ADAPTER
  ADAPTER=$1
  PM_HOME=$BENCH_WORK/home/$ADAPTER
  SCRATCH=$BENCH_WORK/scratch/$ADAPTER
  mkdir -p "$SCRATCH"
  [ "$ADAPTER" = bare ] && return
  # shellcheck source=/dev/null
  . "$BENCH/adapters/$ADAPTER.sh"
  trap pm_kill EXIT
  pm_fresh
}

# A home without a past: no daemon, no services.
pm_fresh() {
  pm_kill
  rm -rf "$PM_HOME"
  mkdir -p "$PM_HOME"
}

record() { # FIGURE UNIT VALUE...
  local figure=$1 unit=$2
  shift 2
  node "$TOOLS/record.mjs" "$BENCH_RECORDS" "$ADAPTER" "$figure" "$unit" "$@"
}

now_ms() {
  local microseconds=${EPOCHREALTIME/[.,]/}
  echo $((microseconds / 1000))
}

wait_http() { node "$TOOLS/wait-http.mjs" "$1" 15000; } # PORT

wait_for() { # SECONDS COMMAND...
  local end=$(($(now_ms) + $1 * 1000))
  shift
  until "$@"; do
    [ "$(now_ms)" -gt "$end" ] && return 1
    sleep 0.05
  done
}

private_kb() { # PID...   memory that would be free without these processes
  local pid
  for pid in "$@"; do cat "/proc/$pid/smaps_rollup" 2>/dev/null; done |
    awk '$1 == "Private_Clean:" || $1 == "Private_Dirty:" { sum += $2 } END { print sum + 0 }'
}

cpu_ms() { # PID...   used so far, in ticks of 10 ms
  local pid
  for pid in "$@"; do sed 's/^.*) //' "/proc/$pid/stat" 2>/dev/null; done |
    awk '{ sum += $12 + $13 } END { print sum * 10 }'
}
