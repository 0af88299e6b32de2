// The same, and waits for its port as the documentation of Node.js proposes it for EADDRINUSE.
const { createServer } = require('http');

const server = createServer((request, response) => {
  response.end(JSON.stringify({ version: process.version, pid: process.pid }));
});
server.on('error', () => {
  setTimeout(() => {
    server.close();
    server.listen(process.env.PORT);
  }, 200);
});
server.listen(process.env.PORT);
