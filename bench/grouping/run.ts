/**
 * How well kinds of messages are told apart, with the very code that does it for `upkeep errors`, and how quickly:
 *
 *   npm run bench:grouping -- <folder of loghub-2k>
 *
 * One setting for all sets. It was found with every second set, in the order of their names; the others were held out.
 */
import { KindFinder } from '../../src/logs/fingerprint/index.js';
import { groupingAccuracy } from './accuracy.js';
import { readSets, type LogSet } from './sets.js';

/** The published average of Drain with settings tuned for each set. */
const LEAST_ACCURACY = 0.87;
const ROUNDS = 3;

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: npm run bench:grouping -- <folder with *_2k.log_structured.csv>');
  process.exit(2);
}

const sets = readSets(folder);
if (sets.length === 0) throw new Error(`Cannot measure "${folder}": it holds no *_2k.log_structured.csv`);
const results = sets.map((set, index) => ({ ...measure(set), isHeldOut: index % 2 === 1 }));
for (const { name, accuracy, groups, events, isHeldOut } of results)
  console.log(
    `${name.padEnd(12)} ${accuracy.toFixed(3)}  ${groups} groups, ${events} in truth${isHeldOut ? '  (held out)' : ''}`,
  );
const average = averageOf(results);
console.log(`developed on ${averageOf(results.filter(({ isHeldOut }) => !isHeldOut)).toFixed(3)}`);
console.log(`held out     ${averageOf(results.filter(({ isHeldOut }) => isHeldOut)).toFixed(3)}`);
console.log(`average      ${average.toFixed(3)}, at least ${LEAST_ACCURACY} is to be reached`);
console.log(`speed        ${Math.round(messagesPerSecond())} messages in a second of processor time`);
process.exitCode = average >= LEAST_ACCURACY ? 0 : 1;

interface Result {
  readonly name: string;
  readonly accuracy: number;
  readonly groups: number;
  readonly events: number;
}

function measure({ name, messages, events }: LogSet): Result {
  const finder = new KindFinder();
  const ids = messages.map((message) => kindOf(finder, message));
  // Kinds that turn out to be one are merged on the way, and their ids with them.
  const found = ids.map((id) => finder.idNow(id));
  return {
    name,
    accuracy: groupingAccuracy(found, events),
    groups: new Set(found).size,
    events: new Set(events).size,
  };
}

function kindOf(finder: KindFinder, message: string): string {
  return finder.find({ type: null, message, at: null, frames: [], causes: [], level: null }).id;
}

/** All sets one after the other through one finder, which forgets on the way. */
function messagesPerSecond(): number {
  const messages = sets.flatMap((set) => set.messages);
  const before = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round++) {
    const finder = new KindFinder();
    for (const message of messages) kindOf(finder, message);
  }
  const { user, system } = process.cpuUsage(before);
  return (ROUNDS * messages.length * 1e6) / (user + system);
}

function averageOf(some: readonly Result[]): number {
  return some.reduce((sum, { accuracy }) => sum + accuracy, 0) / some.length;
}
