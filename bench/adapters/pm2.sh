# PM2 as npm gives it, in the scratch folder (AGPL: run, never read).
PM2=$BENCH_WORK/pm2/node_modules/.bin/pm2
export PM2_HOME=$PM_HOME PM2_DISABLE_VERSION_CHECK=1
PM_LIST="$PM2 list"

pm_version() { "$PM2" --version | tail -n 1; }
pm_daemon_start() { "$PM2" ping >/dev/null 2>&1; }
pm_pids() { cat "$PM_HOME/pm2.pid" 2>/dev/null; }

pm_start() { # NAME SCRIPT [ARG...]
  local name=$1 script=$2
  shift 2
  "$PM2" start "$script" --name "$name" ${1:+-- "$@"} >"$SCRATCH/start.out" 2>&1
}

pm_make_config() { # N PROGRAM [ARG...]
  node "$TOOLS/make-config.mjs" pm2 "$@" >"$SCRATCH/apps.json"
}
pm_start_config() { "$PM2" start "$SCRATCH/apps.json" >"$SCRATCH/start.out" 2>&1; }
pm_online() { "$PM2" jlist 2>/dev/null | node "$TOOLS/count.mjs" running; }
pm_delete_all() { "$PM2" delete all >/dev/null 2>&1; }
pm_app_pid() { "$PM2" jlist 2>/dev/null | node "$TOOLS/count.mjs" pid "$1"; } # NAME
pm_log_files() { ls "$PM_HOME/logs/$1"-out*.log; } # NAME

pm_kill() {
  local pid
  pid=$(cat "$PM_HOME/pm2.pid" 2>/dev/null) && [ -d "/proc/$pid" ] && timeout 60 "$PM2" kill >/dev/null 2>&1
  return 0
}
