// Two workers tell what they see; the primary prints it in their order, and what it sees itself.
'use strict';
const cluster = require('cluster');
const http = require('http');
const sight = require('./look.cjs');

if (cluster.isMaster) {
  const told = {};
  for (const worker of [cluster.fork(), cluster.fork()]) {
    worker.on('message', (message) => {
      told[worker.id] = message;
      if (Object.keys(told).length < 2) return;
      console.log(
        JSON.stringify([told, sight.look(), Object.keys(worker), worker.process.stdio.length], null, 1)
      );
      cluster.disconnect(() => console.log('disconnected'));
    });
  }
} else {
  const server = http.createServer();
  const before = sight.look();
  server.listen(Number(process.env.PORT), () => process.send([before, sight.lookAt(server)]));
}
