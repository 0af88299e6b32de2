// Serves a file, and does what it is asked to: crash, never answer again, keep all memory, or wait for a disk that does not answer.
'use strict';
const fs = require('fs');

const kept = [];
const faults = {
  '/crash': () => {
    throw new Error('asked to crash');
  },
  '/hang': () => {
    for (;;);
  },
  '/leak': () => setInterval(() => kept.push(Buffer.alloc(8 << 20, 1)), 20),
  // A FIFO into which nobody writes: read() does not return, as from a disk that has gone, and takes all threads that Node has for files.
  '/disk': () => {
    for (let thread = 0; thread < 4; thread++)
      fs.open(process.env.DISK, 'r+', (error, fd) => fs.read(fd, Buffer.alloc(1), 0, 1, null, () => {}));
  },
};

require('http')
  .createServer((request, response) => {
    const fault = faults[request.url];
    if (fault) fault();
    fs.stat(__filename, () => response.end(String(process.pid)));
  })
  .listen(Number(process.env.PORT));
