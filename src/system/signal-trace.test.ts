import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTrace } from './signal-trace.js';

const TEXT = `# tracer: nop
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
            bash-27472   [001] d..1.  3108.513901: signal_generate: sig=15 errno=0 code=0 comm=node server-1 pid=27499 grp=1 res=0
 my-long name-12-26934   [000] d..1.  3108.500000: signal_generate: sig=9 errno=0 code=128 comm=node pid=27083 grp=1 res=0
            kill-27501   [000] d..1.  3108.600000: signal_generate: sig=9 errno=0 code=0 comm=sleep pid=27500 grp=1 res=1
`;

test('the trace of the kernel is read in the order of time, names with blanks and dashes too, without signals that were ignored', () => {
  assert.deepEqual(parseTrace(TEXT, 1000), [
    { at: 3_109_500, signal: 9, target: 27083, sender: 26934, senderName: 'my-long name-12', code: 128 },
    { at: 3_109_513.901, signal: 15, target: 27499, sender: 27472, senderName: 'bash', code: 0 },
  ]);
});
