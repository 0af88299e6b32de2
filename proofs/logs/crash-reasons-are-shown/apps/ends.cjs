// Ends as END says, on every Node since 7. What an error is at stands behind it: `// at <end>`.
'use strict';
/** For a linter it might be an error. */
const TEXT = JSON.parse('"just text"');

const ends = {
  throw() {
    console.log(undefined.models); // at throw
  },
  'throw-later'() {
    setTimeout(() => {
      throw new RangeError('out of | range'); // at throw-later
    }, 20);
  },
  'throw-own'() {
    class QueryFailed extends Error {
      get name() {
        return 'QueryFailed';
      }
    }
    throw new QueryFailed('größer als 10 €'); // at throw-own
  },
  'throw-long'() {
    throw new Error('x'.repeat(5000)); // at throw-long
  },
  'throw-lines'() {
    throw new Error('the first line\nthe second'); // at throw-lines
  },
  'throw-text'() {
    throw TEXT; // at throw-text
  },
  'throw-in-library'() {
    require('./node_modules/library.cjs').work(); // at throw-in-library
  },
  reject() {
    void Promise.reject(new RangeError('nobody caught me')); // at reject
  },
  'reject-text'() {
    void Promise.reject('no error at all');
  },
  emit() {
    const EventEmitter = require('events');
    new EventEmitter().emit('error', new TypeError('not listened to')); // at emit
  },
  'in-use'() {
    const net = require('net');
    const first = net.createServer().listen(0, () => net.createServer().listen(first.address().port));
  },
  syntax() {
    require('./broken.cjs');
  },
  missing() {
    require('./there-is-no-such-file'); // at missing
  },
  'caught-and-exit'() {
    process.on('uncaughtException', () => process.exit(5));
    throw new TypeError('caught, and the end'); // at caught-and-exit
  },
  'print-and-exit'() {
    console.error(new TypeError('told before the end')); // at print-and-exit
    process.exit(1);
  },
  'second-one'() {
    let count = 0;
    process.on('uncaughtException', () => {
      if (count++ > 0) process.exit(1);
    });
    setTimeout(() => {
      throw new TypeError('the second'); // at second-one
    }, 100);
    throw new Error('the first');
  },
  'thread-throws'() {
    const { Worker } = require('worker_threads');
    new Worker('throw new RangeError("in a thread")', { eval: true });
  },

  // Traps: there is no reason, or nothing can know it.
  'exit-0'() {
    console.error(new Error('handled'));
    process.exit(0);
  },
  'exit-silently'() {
    process.exit(3);
  },
  'exit-code'() {
    process.exitCode = 4;
  },
  'caught-and-exit-0'() {
    process.on('uncaughtException', () => process.exit(0));
    throw new Error('caught');
  },
  'caught-and-exit-later'() {
    process.on('uncaughtException', () => setTimeout(() => process.exit(1), 300));
    throw new Error('caught');
  },
  'caught-and-lives'() {
    process.on('uncaughtException', () => undefined);
    setTimeout(() => process.exit(0), 300);
    throw new Error('caught');
  },
  'rejection-caught'() {
    process.on('unhandledRejection', () => setTimeout(() => process.exit(1), 300));
    void Promise.reject(new Error('caught'));
  },
  'print-then-talk'() {
    console.error(new Error('handled'));
    setTimeout(() => {
      console.log('all is well');
      process.exit(1);
    }, 300);
  },
  'print-then-warn'() {
    console.error(new Error('handled'));
    console.error('going down');
    process.exit(1);
  },
  'print-then-wait'() {
    console.error(new Error('handled'));
    setTimeout(() => process.exit(1), 4000);
  },
  'print-then-SIGKILL'() {
    console.error(new Error('handled'));
    process.kill(process.pid, 'SIGKILL');
  },
  'print-then-SIGTERM'() {
    console.error(new Error('handled'));
    process.kill(process.pid, 'SIGTERM');
  },
  'print-then-SIGSEGV'() {
    console.error(new Error('handled'));
    process.kill(process.pid, 'SIGSEGV');
  },
  'throw-then-SIGKILL'() {
    process.on('uncaughtException', () => process.kill(process.pid, 'SIGKILL'));
    throw new Error('caught');
  },
  'worker-crashes'() {
    const cluster = require('cluster');
    if (!cluster.isMaster) throw new Error('of a worker');
    cluster.fork();
    cluster.on('exit', () => setTimeout(() => process.exit(6), 4000));
  },
};

ends[process.env.END]();
