// Answers /health and /r/<number>, until a request of /fall-ill/<fault> comes. Nothing in it knows of upkeep.
// Writes down which requests it took, and when it became ill, each in a line of $JOURNAL.
const { createServer } = require('node:http');
const { openSync, writeSync } = require('node:fs');
const { createSocket } = require('node:dgram');
const { Resolver } = require('node:dns').promises;

const fd = openSync(process.env.JOURNAL, 'a');
const journal = (word, value) => writeSync(fd, `${process.pid} ${word} ${value}\n`);
const ill = () => journal('ill', Date.now());
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let answer = async (response) => response.end('fine');

const FAULTS = {
  loop() {
    ill();
    for (let turns = 0; ; turns++);
  },
  deadlock() {
    const never = new Promise(() => undefined);
    answer = () => never;
    ill();
  },
  silence() {
    answer = () => undefined;
    ill();
  },
  slow() {
    let delayMs = 10;
    const timer = setInterval(() => {
      delayMs *= 2;
      if (delayMs < Number(process.env.TOO_SLOW_MS)) return;
      ill();
      clearInterval(timer);
    }, 200);
    answer = async (response) => {
      await sleep(delayMs);
      response.end('slow');
    };
  },
  memory() {
    const kept = [];
    let isTold = false;
    setInterval(() => {
      kept.push(Buffer.alloc(8 * 1024 ** 2, 1));
      if (isTold || process.memoryUsage.rss() < Number(process.env.TOO_MUCH_BYTES)) return;
      isTold = true;
      ill();
    }, 30);
  },
  files() {
    const leak = () => {
      try {
        for (;;) openSync('/dev/null', 'r');
      } catch {
        return true; // EMFILE: no connection can be accepted any more
      }
    };
    ill();
    setInterval(leak, 20);
    leak();
  },
  dns() {
    const blackHole = createSocket('udp4').bind(0, '127.0.0.1', () => {
      const resolver = new Resolver({ timeout: 60_000, tries: 1 });
      resolver.setServers([`127.0.0.1:${blackHole.address().port}`]);
      answer = async (response) => {
        await resolver.resolve4('database.example');
        response.end('found');
      };
      ill();
    });
  },
};

createServer((request, response) => {
  const [, kind, value] = request.url.split('/');
  if (kind === 'fall-ill') {
    response.end('farewell');
    setTimeout(() => FAULTS[value](), 20);
    return;
  }
  if (kind === 'r') journal('took', value);
  void answer(response);
}).listen(Number(process.env.PORT), '127.0.0.1');
