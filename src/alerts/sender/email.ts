/** Mails a notice, over SMTP or by the sendmail program of the machine. */
import { hostname } from 'node:os';
import { createTransport, type Transporter } from 'nodemailer';
import type { AlertTarget } from '../../protocol/index.js';
import { readSecret } from '../../system/index.js';
import type { Send } from './main.js';
import { Refused } from './refused.js';

const TIMEOUT_MS = 10_000;

type Email = Extract<AlertTarget, { via: 'email' }>;

export async function mail({ to, from, smtp }: Email): Promise<Send> {
  const transport = await open(smtp);
  const sender = from ?? `upkeep@${hostname()}`;
  return async ({ id, subject, text, isRepeated, phase }) => {
    const words = isRepeated ? `${text}\n(This may have been mailed before.)` : text;
    const headers = { 'X-Upkeep-Notice': id, 'X-Upkeep-Phase': phase };
    const letter = { from: sender, to: [...to], subject, text: words, headers };
    await transport.sendMail({ ...letter, messageId: `<${id}@${hostname()}>` }).catch(throwRefusal);
  };
}

/** RFC 5321, 4.2.1: 5yz is permanent. */
function throwRefusal(error: Error & { responseCode?: number }): never {
  throw (error.responseCode ?? 0) >= 500 ? new Refused(error.message) : error;
}

async function open(smtp: Email['smtp']): Promise<Transporter> {
  if (!smtp) return createTransport({ sendmail: true, newline: 'unix', path: '/usr/sbin/sendmail' });
  const { host, port, secure, user, password } = smtp;
  const pass = password ? await readSecret(password) : '';
  return createTransport({
    host,
    port,
    secure,
    ...(user === null ? {} : { auth: { user, pass } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
  });
}
