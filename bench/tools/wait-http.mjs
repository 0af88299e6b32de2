// wait-http.mjs PORT TIMEOUT_MS: ends with 0 once GET / answers on 127.0.0.1:PORT.
import http from 'node:http';

const [port, timeoutMs] = process.argv.slice(2).map(Number);
const end = Date.now() + timeoutMs;

function ask() {
  http
    .get({ port, host: '127.0.0.1', agent: false, timeout: 1000 }, (response) => {
      response.resume();
      response.on('end', () => process.exit(0));
    })
    .on('error', () => (Date.now() > end ? process.exit(1) : setTimeout(ask, 20)));
}
ask();
