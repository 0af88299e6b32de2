// count.mjs running|pid NAME < the JSON list of upkeep or of PM2: how many processes run; the pid of one service.
import { readFileSync } from 'node:fs';

const [what, name] = process.argv.slice(2);
const text = readFileSync(0, 'utf8');
// PM2 may say something before its list.
const list = JSON.parse(text.slice(text.search(/^\[/m)));
const processes = list.flatMap((entry) =>
  (entry.instances ?? [{ pid: entry.pid, status: entry.pm2_env.status }]).map((one) => ({
    name: entry.name,
    ...one,
  })),
);
if (what === 'running')
  console.log(processes.filter(({ status }) => ['running', 'online'].includes(status)).length);
if (what === 'pid') console.log(processes.find((one) => one.name === name).pid);
