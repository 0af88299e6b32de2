# supervisord of the distribution: a peer for memory and idling only, for it removes programs one by one.
CONFIG=$PM_HOME/supervisord.conf
CTL="supervisorctl -c $CONFIG"
PM_LIST="$CTL status"

pm_version() { supervisord --version; }

pm_daemon_start() {
  [ -d "/proc/$(pm_pids)" ] && [ -n "$(pm_pids)" ] && return 0
  mkdir -p "$PM_HOME/conf.d" "$PM_HOME/logs"
  cat >"$CONFIG" <<END
[supervisord]
pidfile=$PM_HOME/pid
logfile=$PM_HOME/log
childlogdir=$PM_HOME/logs
minfds=8192
[unix_http_server]
file=$PM_HOME/sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://$PM_HOME/sock
[include]
files=$PM_HOME/conf.d/*.conf
END
  supervisord -c "$CONFIG" 2>/dev/null
  wait_for 10 $CTL pid >/dev/null 2>&1
}
pm_pids() { cat "$PM_HOME/pid" 2>/dev/null; }

program() { # NAME COMMAND
  printf '[program:%s]\ncommand=%s\nstdout_logfile_maxbytes=0\nstderr_logfile_maxbytes=0\n' "$1" "$2"
}
pm_start() { # NAME SCRIPT [ARG...]
  local name=$1
  shift
  pm_daemon_start
  program "$name" "$(command -v node) $*" >"$PM_HOME/conf.d/$name.conf"
  $CTL update >"$SCRATCH/start.out" 2>&1
}
pm_make_config() { # N PROGRAM [ARG...]
  local n=$1 i
  shift
  for ((i = 0; i < n; i++)); do program "s$i" "$*"; done >"$SCRATCH/apps.conf"
}
pm_start_config() {
  pm_daemon_start
  cp "$SCRATCH/apps.conf" "$PM_HOME/conf.d/"
  $CTL update >"$SCRATCH/start.out" 2>&1
}
pm_online() { $CTL status | grep -c RUNNING; }
pm_app_pid() { $CTL pid "$1"; } # NAME
pm_log_files() { ls "$PM_HOME/logs/$1"-stdout*; } # NAME

pm_kill() {
  local pid
  pid=$(pm_pids) || return 0
  [ -n "$pid" ] && kill "$pid" 2>/dev/null
  while [ -n "$pid" ] && [ -d "/proc/$pid" ]; do sleep 0.1; done
}
