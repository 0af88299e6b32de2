/** A service that releases itself when it is told to: `update <archive>` on a socket of each instance. `UPKEEP_SDK` is upkeep's module. */
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';

const { release, lastRelease } = await import(process.env.UPKEEP_SDK);
const { version } = JSON.parse(readFileSync(new URL('behaviour.json', import.meta.url), 'utf8'));
const { UPKEEP_INSTANCE: instance, UPKEEP_ATTEMPT: attempt, PORT, FOLDER } = process.env;
const tell = (what) =>
  appendFileSync(join(FOLDER, 'told.jsonl'), `${JSON.stringify({ version, instance, attempt, ...what })}\n`);

const control = join(FOLDER, `${instance}-${process.pid}.sock`);
net
  .createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (bytes) => {
      const [, file] = bytes.toString('utf8').trim().split(' ');
      socket.end('asked\n');
      // Whoever is replaced by it does not live to see its end.
      release({ file }).then(
        ({ id, status }) => tell({ asked: id, status }),
        (error) => tell({ refused: error.code, message: error.message }),
      );
    });
  })
  .listen(control);
process.once('exit', () => rmSync(control, { force: true }));

http
  .createServer((request, response) => {
    response.writeHead(200, { 'x-version': version });
    response.end(`${version} ${process.pid}\n`);
  })
  .listen(Number(PORT));

lastRelease({ wait: true }).then(
  (last) => tell({ read: last?.id, status: last?.status, released: last?.build?.version }),
  (error) => tell({ refused: error.code, message: error.message }),
);
