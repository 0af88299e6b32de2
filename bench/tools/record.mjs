// record.mjs FILE ADAPTER FIGURE UNIT VALUE...: appends the median and range as one JSON line, and prints them.
import { appendFileSync } from 'node:fs';

const [file, adapter, figure, unit, ...texts] = process.argv.slice(2);
const values = texts
  .map(Number)
  .filter(Number.isFinite)
  .sort((a, b) => a - b);
const middle = values.length / 2;
const median = values.length % 2 ? values[Math.floor(middle)] : (values[middle - 1] + values[middle]) / 2;
const round = (value) => Number(value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2));
const record = {
  ...{ figure, adapter, unit, median: round(median), min: round(values[0]), max: round(values.at(-1)) },
  ...{ n: values.length, at: new Date().toISOString() },
};
appendFileSync(file, `${JSON.stringify(record)}\n`);
console.log(`${figure} ${adapter}: ${record.median} [${record.min}..${record.max}] ${unit} n=${record.n}`);
