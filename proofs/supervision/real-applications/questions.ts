/** How an application is asked whether it works. */
import { appendFile, readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const ANSWER_MS = 3000;
/** How long a line may take through the pipeline; one that came while `tail` was away is lost. */
const PASS_MS = 500;

let lines = 0;

/** Whether the URL answers with a text that holds this one. Each question has a connection of its own. */
export function ask(url: string, text: string): Promise<boolean> {
  return new Promise((answer) => {
    const request = get(url, { agent: false, timeout: ANSWER_MS }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => answer(response.statusCode === 200 && body.includes(text)));
      response.on('error', () => answer(false));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => answer(false));
  });
}

/** Whether a line that is written at one end of the pipeline comes out at the other. */
export async function pass(folder: string): Promise<boolean> {
  const line = `GET /${++lines}\n`;
  await appendFile(`${folder}/visits.txt`, `POST /${lines}\n${line}`);
  const deadline = performance.now() + PASS_MS;
  while (performance.now() < deadline) {
    const passed = await readFile(`${folder}/gets.txt`, 'utf8').catch(() => '');
    if (passed.endsWith(line)) return true;
    await sleep(10);
  }
  return false;
}
