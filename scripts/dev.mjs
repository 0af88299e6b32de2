/**
 * `npm run dev`: builds on every change and keeps a daemon of the newest build running in .dev/, so that the real
 * daemon of this machine is never touched. The services there live on while their daemon is replaced.
 */
import { watch } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, ROOT, run } from './setup.mjs';

const QUIET_MS = 100;
const env = { ...process.env, UPKEEP_HOME: join(ROOT, '.dev') };

ensureInstalled();
replaceDaemon();
let pending;
watch(join(ROOT, 'src'), { recursive: true }, () => {
  clearTimeout(pending);
  pending = setTimeout(replaceDaemon, QUIET_MS);
});
process.on('SIGINT', () => {
  upkeep('daemon', 'stop');
  process.exit();
});

console.log(`\nThe sandbox: export UPKEEP_HOME=${env.UPKEEP_HOME}`);
console.log(`then         npx upkeep list`);
console.log(
  'Ctrl-C ends this and its daemon; services of the sandbox go on (npx upkeep delete all ends them)\n',
);

function replaceDaemon() {
  if (run(process.execPath, ['scripts/build.mjs']) !== 0) return;
  upkeep('daemon', 'stop');
  upkeep('daemon', 'start');
}

function upkeep(...args) {
  return run(process.execPath, ['bin/upkeep.js', ...args], { env });
}
