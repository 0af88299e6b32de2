import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RecordAssembler } from './record-assembler.js';

const parameters = { numRuns: Math.ceil(Number(process.env.UPKEEP_PROP_RUNS ?? 10_000) / 20) };

const word = fc.stringMatching(/^[a-z]{1,8}$/);
const count = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const lines = (line: fc.Arbitrary<string>, max: number): fc.Arbitrary<string[]> =>
  fc.array(line, { minLength: 1, maxLength: max });

const plain = fc.oneof(
  fc.tuple(word, word).map((words) => `${words.join(' ')} is here`),
  fc.nat(100).map((n) => `2026-11-29 01:02:03 INFO request ${n}`),
  fc.nat(100).map((n) => JSON.stringify({ level: 30, msg: `request ${n}` })),
);
const nodeFrame = fc
  .tuple(word, word, count(99))
  .map(([f, file, n]) => `    at ${f} (/srv/${file}.js:${n}:1)`);
const nodeHead = fc
  .tuple(fc.constantFrom('TypeError', 'Error', 'QueryError'), word)
  .map((parts) => parts.join(': '));
const node = fc.tuple(nodeHead, lines(nodeFrame, 5)).map(([head, frames]) => [head, ...frames]);
const nodeWithFields = node.map((trace) => [
  ...trace.slice(0, -1),
  `${trace.at(-1)!} {`,
  "  code: 'E1'",
  '  [cause]: Error: deeper',
  '      at x (/srv/x.js:1:1)',
  '}',
]);
const uncaught = fc
  .tuple(word, word, node)
  .map(([file, message, [head, ...frames]]) => [
    `/srv/${file}.js:7`,
    'throw it();',
    '^',
    '',
    `${head!} ${message}`,
    'goes on, and',
    '',
    'on',
    ...frames,
    '',
    'Node.js v20.20.2',
  ]);
const pythonFrame = fc
  .tuple(word, count(99))
  .map(([file, n]) => [`  File "/srv/${file}.py", line ${n}, in run`, '    raise it', '    ^^^^^']);
const python = fc
  .tuple(fc.array(pythonFrame, { minLength: 1, maxLength: 4 }), fc.constantFrom('KeyError', 'Bad'), word)
  .map(([frames, type, message]) => [
    'Traceback (most recent call last):',
    ...frames.flat(),
    `${type}: ${message}`,
  ]);
const chained = fc
  .tuple(python, python)
  .map(([one, other]) => [
    ...one,
    '',
    'During handling of the above exception, another exception occurred:',
    '',
    ...other,
  ]);
const logged = python.map((trace) => ['2026-11-29 01:02:03,004 ERROR root: request failed', ...trace]);
const javaFrame = fc
  .tuple(word, count(99))
  .map(([method, n]) => `\tat shop.Orders.${method}(Orders.java:${n})`);
const java = fc
  .tuple(word, lines(javaFrame, 4), fc.boolean())
  .map(([message, frames, hasCause]) => [
    `java.lang.IllegalStateException: ${message}`,
    ...frames,
    ...(hasCause ? ['Caused by: java.io.IOException: disk', ...frames, '\t... 12 more'] : []),
  ]);

const record = fc.oneof(
  plain.map((line) => [line]),
  node,
  nodeWithFields,
  uncaught,
  python,
  chained,
  logged,
  java,
);
const records = fc.array(record, { minLength: 1, maxLength: 12 });

test('the lines of records, one after the other, give the records back', () => {
  fc.assert(
    fc.property(records, (given) => assert.deepEqual(assemble(given.flat()), given)),
    parameters,
  );
});

test('two streams of lines in any order are put together independently', () => {
  fc.assert(
    fc.property(records, records, fc.infiniteStream(fc.boolean()), (one, other, turns) => {
      const streams = [one, other].map((given) => ({
        lines: given.flat(),
        assembler: new RecordAssembler(),
      }));
      const found: (readonly string[])[][] = [[], []];
      while (streams.some(({ lines: rest }) => rest.length > 0)) {
        const turn = turns.next().value ? 1 : 0;
        const line = streams[turn]!.lines.shift();
        const ended = line === undefined ? null : streams[turn]!.assembler.push(line);
        if (ended) found[turn]!.push(ended);
      }
      for (const [turn, { assembler }] of streams.entries()) found[turn]!.push(assembler.flush()!);
      assert.deepEqual(found, [one, other]);
    }),
    parameters,
  );
});

test('no line is lost, doubled or moved, whatever the lines are', () => {
  const anything = fc.oneof(
    fc.string(),
    record.chain((each) => fc.constantFrom(...each)),
  );
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 60 }), (given) =>
      assert.deepEqual(assemble(given).flat(), given),
    ),
    parameters,
  );
});

test('a record has a bound, and what follows is not lost', () => {
  const frames = Array.from({ length: 10_000 }, (_, index) => `    at run (/srv/a.js:${index}:1)`);
  const found = assemble(['Error: deep', ...frames]);
  assert.ok(found.every((each) => each.length <= 1000));
  assert.equal(found.flat().length, 10_001);
});

function assemble(given: readonly string[]): (readonly string[])[] {
  const assembler = new RecordAssembler();
  const found = given.flatMap((line) => {
    const ended = assembler.push(line);
    return ended ? [ended] : [];
  });
  const last = assembler.flush();
  return last ? [...found, last] : found;
}
