// Serves, and does what it is asked to: crash, or never answer again.
'use strict';
require('http')
  .createServer((request, response) => {
    if (request.url === '/crash') throw new Error('asked to crash');
    if (request.url === '/hang') for (;;);
    response.end(String(process.pid));
  })
  .listen(Number(process.env.PORT));
