// Answers every request with its version and its pid.
const { createServer } = require('http');

createServer((request, response) => {
  response.end(JSON.stringify({ version: process.version, pid: process.pid }));
}).listen(process.env.PORT);
