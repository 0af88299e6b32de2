// upkeep-pids.mjs HOME: every process that upkeep itself has running for HOME, read from /proc, not asked of upkeep.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const [home] = process.argv.slice(2);

function isOfUpkeep(pid) {
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const isShim = readlinkSync(`/proc/${pid}/exe`).endsWith('/upkeep-shim');
    const isDaemon = argv.some((argument) => argument.endsWith('/dist/daemon.js'));
    if (!isShim && !isDaemon) return false;
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return (
      environment.includes(`UPKEEP_HOME=${home}`) || argv.some((argument) => argument.startsWith(`${home}/`))
    );
  } catch {
    return false; // it ended meanwhile
  }
}

for (const pid of readdirSync('/proc')) if (/^\d+$/.test(pid) && isOfUpkeep(pid)) console.log(pid);
