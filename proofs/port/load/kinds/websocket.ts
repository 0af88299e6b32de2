/** The least of RFC 6455 that a client needs: its handshake, whole text frames, ping and close. */
import { createHash, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';

export const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${HANDSHAKE_GUID}`).digest('base64');
}

export interface WebSocketEvents {
  onText(text: string): void;
  /** Once. `code` is that of the close frame of the other side; undefined: the connection ended without one. */
  onEnd(code: number | undefined, detail: string): void;
}

/** Takes over a connection that was upgraded. */
export class WebSocketConnection {
  readonly #socket: Duplex;
  readonly #events: WebSocketEvents;
  #unread: Buffer;
  #closeCode: number | undefined;
  #detail = 'the connection ended without a close frame';

  constructor(socket: Duplex, head: Buffer, events: WebSocketEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#unread = head;
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('error', (error: NodeJS.ErrnoException) => (this.#detail = error.code ?? error.message));
    socket.on('end', () => socket.end());
    socket.on('close', () => events.onEnd(this.#closeCode, this.#detail));
    if (head.length > 0) queueMicrotask(() => this.#take(Buffer.alloc(0)));
  }

  send(text: string): void {
    this.#write(TEXT, Buffer.from(text));
  }

  close(code = 1000): void {
    const reason = Buffer.alloc(2);
    reason.writeUInt16BE(code);
    this.#write(CLOSE, reason);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    for (let frame = this.#nextFrame(); frame; frame = this.#nextFrame()) this.#handle(frame);
  }

  #nextFrame(): { opcode: number; payload: Buffer } | undefined {
    const unread = this.#unread;
    if (unread.length < 2) return undefined;
    const opcode = unread[0]! & 0x0f;
    let length = unread[1]! & 0x7f;
    let offset = 2;
    if (length === 127) throw new Error('a frame of 64 KiB or more, which nobody asked for');
    if (length === 126) {
      if (unread.length < 4) return undefined;
      length = unread.readUInt16BE(2);
      offset = 4;
    }
    if (unread.length < offset + length) return undefined;
    this.#unread = unread.subarray(offset + length);
    return { opcode, payload: unread.subarray(offset, offset + length) };
  }

  #handle({ opcode, payload }: { opcode: number; payload: Buffer }): void {
    if (opcode === TEXT) return this.#events.onText(payload.toString());
    if (opcode === PING) return this.#write(PONG, payload);
    if (opcode !== CLOSE) return;
    this.#closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
    this.#detail = `close frame ${this.#closeCode}`;
    this.#write(CLOSE, payload.subarray(0, 2));
    this.#socket.end();
  }

  /** What a client sends is masked. */
  #write(opcode: number, payload: Buffer): void {
    if (!this.#socket.writable) return; // 'close' is on its way
    const mask = randomBytes(4);
    const isShort = payload.length < 126;
    const header = Buffer.alloc(isShort ? 2 : 4);
    header[0] = 0x80 | opcode;
    header[1] = 0x80 | (isShort ? payload.length : 126);
    if (!isShort) header.writeUInt16BE(payload.length, 2);
    const masked = Buffer.from(payload.map((byte, index) => byte ^ mask[index % 4]!));
    this.#socket.write(Buffer.concat([header, mask, masked]));
  }
}
