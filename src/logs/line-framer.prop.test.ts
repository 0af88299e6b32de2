import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineFramer } from './line-framer.js';

const parameters = { numRuns: Math.ceil(Number(process.env.UPKEEP_PROP_RUNS ?? 10_000) / 5) };

/** Any bytes, many of them line ends. */
const bytes = fc
  .array(fc.oneof(fc.constant(0x0a), fc.integer({ min: 0, max: 255 })), { maxLength: 200 })
  .map((all) => Buffer.from(all));
const cuts = fc.array(fc.nat(200), { maxLength: 20 });

test('however a stream is cut into chunks, the same lines come out', () => {
  fc.assert(
    fc.property(bytes, cuts, (stream, places) => {
      const isFinished = stream.length === 0 || stream.at(-1) === 0x0a;
      const expected = isFinished ? stream : Buffer.concat([stream, Buffer.from('\n')]);
      assert.deepEqual(Buffer.concat(frame(chunksOf(stream, places))), expected);
    }),
    parameters,
  );
});

test('whatever comes out ends in a line end', () => {
  fc.assert(
    fc.property(bytes, cuts, (stream, places) => {
      for (const lines of frame(chunksOf(stream, places))) assert.equal(lines.at(-1), 0x0a);
    }),
    parameters,
  );
});

test('a line comes out with the chunk that ends it', () => {
  fc.assert(
    fc.property(bytes, cuts, (stream, places) => {
      const framer = new LineFramer();
      let pushed = 0;
      let passed = 0;
      for (const chunk of chunksOf(stream, places)) {
        pushed += chunk.length;
        passed += framer.push(chunk)?.length ?? 0;
        assert.equal(passed, stream.subarray(0, pushed).lastIndexOf(0x0a) + 1);
      }
    }),
    parameters,
  );
});

function frame(chunks: readonly Buffer[]): Buffer[] {
  const framer = new LineFramer();
  return [...chunks.map((chunk) => framer.push(chunk)), framer.end()].filter((lines) => lines !== undefined);
}

function chunksOf(stream: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.filter((place) => place < stream.length), stream.length].sort((a, b) => a - b);
  return ends.map((end, index) => stream.subarray(ends[index - 1] ?? 0, end));
}
