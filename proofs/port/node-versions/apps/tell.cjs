// Prints what it sees before and after it listens at PORT, and ends as END says.
'use strict';
const childProcess = require('child_process');
const http = require('http');
const sight = require('./look.cjs');

const ENDS = {
  close: (server) => server.close((error) => console.log('closed', error, process.exitCode)),
  throw: () => {
    throw new TypeError('on purpose');
  },
  reject: (server) => {
    void Promise.reject(new Error('on purpose'));
    setTimeout(() => server.close(), 50);
  },
  'in-use': (server) => http.createServer().listen(server.address().port),
  spawn: (server) => {
    const child = childProcess.spawn(process.execPath, [
      '-e',
      'console.log(process.env.NODE_OPTIONS, process.execArgv)',
    ]);
    console.log(child.stdio.length, child.spawnargs, child.spawnfile);
    child.stdout.on('data', (text) => process.stdout.write(text));
    child.on('close', () => server.close());
    childProcess.spawn('there-is-no-such-program').on('error', (error) => console.log(error.stack));
  },
};

exports.tell = function tell() {
  const order = [];
  console.log(JSON.stringify(sight.look(), null, 1));
  const server = http.createServer((request, response) => response.end('hello'));
  server.on('listening', () => {
    order.push('event');
    console.log(JSON.stringify(sight.lookAt(server), null, 1));
  });
  server.listen(Number(process.env.PORT), () => {
    order.push('callback');
    setImmediate(() => {
      console.log(order.join());
      process.emitWarning('be careful');
      ENDS[process.env.END || 'close'](server);
    });
  });
  order.push(`listening ${server.listening} ${JSON.stringify(server.address())}`);
  process.nextTick(() => order.push('tick'));
};
