/** Words of other process managers, and what to write here instead. */
export const FOREIGN_KEYS: Readonly<Record<string, string>> = {
  apps: 'write the services under "services"',
  autorestart: 'write restart: never instead of autorestart: false',
  cron: 'write schedule: {restart: "0 4 * * *"}, or {run: ...} for a job',
  cron_restart: 'write schedule: {restart: "0 4 * * *"}',
  deploy: 'write releases: {shop: {source: {type: git, url: ...}}}',
  depends_on: 'write dependsOn: [name]',
  env_file: 'write envFiles: [path]',
  environment: 'write env: {KEY: value}',
  exec_mode: 'leave it out, write instances: 2 for two copies',
  exec_interpreter: 'write interpreter: python3',
  kill_timeout: 'write stop: {grace: 10s}',
  kill_signal: 'write stop: {signal: SIGINT}',
  listen_timeout: 'write ready: {timeout: 30s}',
  max_memory_restart: 'write limits: {memory: 512MB}',
  max_restarts: 'write restart: {limit: 10}',
  memory: 'write limits: {memory: 512MB}',
  min_uptime: 'write restart: {stable: 10s}',
  node_args: 'write interpreterArgs: [--flag]',
  restart_delay: 'write restart: {delay: 100ms}',
  stop_exit_codes: 'write restart: {stopExitCodes: [0]}',
  shutdown_with_message: 'write stop: {message: true}',
  wait_ready: 'write ready: message',
};

/** Words of other release tools. */
export const FOREIGN_RELEASE_KEYS: Readonly<Record<string, string>> = {
  deploy_to: 'write folder: /srv/shop',
  keep_releases: 'write keep: 5',
  linked_dirs: 'write linked: {folders: [uploads]}',
  linked_files: 'write linked: {files: [config/local.json]}',
  repo: 'write source: {type: git, url: ...}',
  repo_url: 'write source: {type: git, url: ...}',
  repository: 'write source: {type: git, url: ...}',
  path: 'write folder: /srv/shop',
};
