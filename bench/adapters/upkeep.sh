# upkeep from this checkout.
UPKEEP=$BENCH/../bin/upkeep.js
export UPKEEP_HOME=$PM_HOME
PM_LIST="node $UPKEEP list"

pm_version() { node "$UPKEEP" --version; }
pm_daemon_start() { node "$UPKEEP" daemon start >/dev/null; }

# Every process that upkeep adds: the daemon, its launcher, and the shim of each instance.
pm_pids() { node "$TOOLS/upkeep-pids.mjs" "$PM_HOME"; }

pm_start() { # NAME SCRIPT [ARG...]
  local name=$1 script=$2
  shift 2
  node "$UPKEEP" start "$script" --name "$name" ${1:+-- "$@"} >"$SCRATCH/start.out" 2>&1
}

pm_make_config() { # N PROGRAM [ARG...]
  node "$TOOLS/make-config.mjs" upkeep "$@" >"$SCRATCH/apps.yaml"
}
pm_start_config() { node "$UPKEEP" up "$SCRATCH/apps.yaml" >"$SCRATCH/start.out" 2>&1; }
pm_online() { node "$UPKEEP" list --json | node "$TOOLS/count.mjs" running; }
pm_delete_all() { node "$UPKEEP" delete all >/dev/null 2>&1; }
pm_app_pid() { node "$UPKEEP" list --json | node "$TOOLS/count.mjs" pid "$1"; } # NAME

pm_log_files() { ls "$PM_HOME/logs/$1"/out.log*; } # NAME

# Services outlive their daemon, so they are deleted first.
pm_kill() {
  [ -e "$PM_HOME/state.json" ] || [ -e "$PM_HOME/daemon.sock" ] || return 0
  pm_delete_all
  node "$UPKEEP" daemon stop >/dev/null 2>&1
  return 0
}
