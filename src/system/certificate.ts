/** Looks at the certificate that a server shows, without judging it: nothing is asked of the server, and nothing sent. */
import { isIP } from 'node:net';
import { connect, type PeerCertificate } from 'node:tls';

const PATIENCE_MS = 10_000;

export interface ShownCertificate {
  readonly subject: string;
  /** Wall clock, milliseconds. */
  readonly expiresAt: number;
}

/** undefined: nobody answers there, or not by TLS; never rejects. */
export function readCertificate({
  host,
  port,
}: {
  host: string;
  port: number;
}): Promise<ShownCertificate | undefined> {
  return new Promise((resolve) => {
    const end = (shown: ShownCertificate | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(shown);
    };
    const servername = isIP(host) === 0 ? { servername: host } : {};
    // One that has expired is what is looked for.
    const socket = connect({ host, port, ...servername, rejectUnauthorized: false });
    const timer = setTimeout(() => end(undefined), PATIENCE_MS).unref();
    socket.on('secureConnect', () => end(shownBy(socket.getPeerCertificate())));
    socket.on('error', () => end(undefined)).on('close', () => end(undefined));
  });
}

function shownBy(certificate: PeerCertificate): ShownCertificate | undefined {
  const expiresAt = Date.parse(certificate.valid_to);
  if (Number.isNaN(expiresAt)) return undefined; // a server without one
  return { subject: subjectOf(certificate), expiresAt };
}

function subjectOf({ subject, subjectaltname }: PeerCertificate): string {
  const name = [subject?.CN ?? []].flat()[0] ?? subjectaltname ?? 'nobody';
  return name.slice(0, 200);
}
