// Prints what Throws.java printed with OpenJDK 17, for machines without Java, line by line.
'use strict';
const { setImmediate: turn } = require('timers/promises');

const query = (id) => [
  `java.lang.IllegalStateException: pool closed for ${id}`,
  '\tat Throws.query(Throws.java:16)',
  '\tat Throws.main(Throws.java:38)',
];
const order = (id) => [
  `Throws$OrderException: order ${id}`,
  '\tat Throws.order(Throws.java:23)',
  '\tat Throws.main(Throws.java:39)',
  `Caused by: java.lang.IllegalStateException: pool closed for ${id}`,
  '\tat Throws.query(Throws.java:16)',
  '\tat Throws.order(Throws.java:21)',
  '\t... 1 more',
];
const closing = (id) => [
  `java.lang.UnsupportedOperationException: delete ${id}`,
  'second line',
  '\tat Throws.closing(Throws.java:29)',
  '\tat Throws.main(Throws.java:40)',
  '\tSuppressed: java.lang.IllegalArgumentException: not open',
  '\t\tat Throws$Connection.close(Throws.java:11)',
  '\t\tat Throws.closing(Throws.java:28)',
  '\t\t... 1 more',
];
const KINDS = [query, order, closing];

async function main() {
  for (let id = 0; id < Number(process.env.COUNT); id++) {
    for (const line of [`request ${id}`, ...KINDS[id % KINDS.length](id)]) process.stderr.write(`${line}\n`);
    if (id % 10 === 0) await turn();
  }
  console.log('done');
  setInterval(() => {}, 60_000);
}
void main();
