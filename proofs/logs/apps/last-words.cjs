// last-words.cjs LINES END HOW: prints LINES numbered lines and ends in the same moment. A crash in native code is one of the
// kernel's own: a library that is loaded as an addon and faults, where HOW names one.
'use strict';
const [lines, end, how] = process.argv.slice(2);
const name = process.env.UPKEEP_INSTANCE;
const dots = '.'.repeat(79);

for (let number = 0; number < Number(lines); number++) {
  if (how === 'stream') process.stdout.write(`${name} ${number} ${dots}\n`);
  else console.log(name, number, dots);
}
if (end === 'exit') process.exit(0);
if (end === 'kill') process.kill(process.pid, 'SIGKILL');
if (end === 'abort') process.abort();
process.dlopen({ exports: {} }, process.env.FAULTS);
