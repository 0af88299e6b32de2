// Answers its pid on 127.0.0.1:PORT.
const port = Number(process.argv[2]);
require('node:http')
  .createServer((_request, response) => response.end(String(process.pid)))
  .listen(port, '127.0.0.1');
