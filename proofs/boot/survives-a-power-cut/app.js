/** Takes a moment to become ready and to end, and writes down when: `<ms> <what> <service>.<instance>`. */
const { appendFileSync } = require('node:fs');
const { join } = require('node:path');

const MOMENT_MS = 150;
const { UPKEEP_SERVICE, UPKEEP_INSTANCE } = process.env;

function note(what) {
  appendFileSync(join(__dirname, 'life.log'), `${Date.now()} ${what} ${UPKEEP_SERVICE}.${UPKEEP_INSTANCE}\n`);
}

note('start');
setTimeout(() => {
  note('ready');
  console.log('ready');
}, MOMENT_MS);
process.on('SIGTERM', () => {
  note('asked');
  setTimeout(() => {
    note('end');
    process.exit(0);
  }, MOMENT_MS);
});
setInterval(() => undefined, 1_000_000);
