/** A WebSocket client that is just enough for the inspector of Node: text frames, on the loopback, no extensions. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export interface WebSocketObserver {
  onMessage(text: string): void;
  onClose(): void;
}

const TEXT = 1;
const CLOSE = 8;
const FINAL = 0x80;
const MASKED = 0x80;

export class WebSocketClient {
  readonly #socket: Socket;
  readonly #observer: WebSocketObserver;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  /** How much has to be there before it is worth looking. */
  #needed = 2;
  /** Of a message that comes in several frames. */
  #fragments: Buffer[] = [];
  #isOpen = false;
  #onOpen: (() => void) | undefined;

  private constructor(url: URL, observer: WebSocketObserver) {
    this.#observer = observer;
    this.#socket = connect({ host: url.hostname, port: Number(url.port) });
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.on('error', () => undefined); // 'close' follows
    this.#socket.on('close', () => observer.onClose());
    const key = randomBytes(16).toString('base64');
    const upgrade = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'];
    const head = [
      `GET ${url.pathname} HTTP/1.1`,
      `Host: ${url.host}`,
      ...upgrade,
      `Sec-WebSocket-Key: ${key}`,
    ];
    this.#socket.write(`${head.join('\r\n')}\r\n\r\n`);
  }

  /** Resolves once it can be talked to; a socket that closes before is told by `onClose`. */
  static open(url: URL, observer: WebSocketObserver): Promise<WebSocketClient> {
    return new Promise((resolve, reject) => {
      const onClose = (): void => {
        reject(new Error('the inspector closed the connection'));
        observer.onClose();
      };
      const client = new WebSocketClient(url, { onMessage: (text) => observer.onMessage(text), onClose });
      client.#onOpen = () => resolve(client);
    });
  }

  send(text: string): void {
    this.#socket.write(frame(Buffer.from(text)));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#needed) return;
    let rest = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    if (!this.#isOpen) rest = this.#takeHead(rest);
    for (let read = this.#isOpen ? readFrame(rest) : 2; ; read = readFrame(rest)) {
      if (typeof read === 'number') {
        this.#needed = read;
        break;
      }
      rest = rest.subarray(read.length);
      this.#onFrame(read);
    }
    this.#chunks.splice(0, Infinity, rest);
    this.#size = rest.length;
  }

  #takeHead(bytes: Buffer): Buffer {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return bytes;
    if (!bytes.subarray(0, end).toString('latin1').startsWith('HTTP/1.1 101')) {
      this.#socket.destroy();
      return bytes;
    }
    this.#isOpen = true;
    this.#onOpen?.();
    return bytes.subarray(end + 4);
  }

  #onFrame({ opcode, isFinal, payload }: Frame): void {
    if (opcode === CLOSE) return void this.#socket.destroy();
    if (opcode > TEXT) return;
    this.#fragments.push(payload);
    if (!isFinal) return;
    const text = Buffer.concat(this.#fragments).toString();
    this.#fragments = [];
    this.#observer.onMessage(text);
  }
}

interface Frame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly payload: Buffer;
  /** Of the whole frame. */
  readonly length: number;
}

/** A number: so many bytes are needed first. */
function readFrame(bytes: Buffer): Frame | number {
  if (bytes.length < 2) return 2;
  const short = bytes[1]! & 0x7f;
  const head = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < head) return head;
  const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < head + size) return head + size;
  const payload = bytes.subarray(head, head + size);
  return { opcode: bytes[0]! & 0x0f, isFinal: (bytes[0]! & FINAL) !== 0, payload, length: head + size };
}

/** Who connects has to mask what it sends. */
function frame(payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const masked = Buffer.from(payload.map((byte, index) => byte ^ mask[index & 3]!));
  return Buffer.concat([frameHead(payload.length), mask, masked]);
}

function frameHead(size: number): Buffer {
  if (size < 126) return Buffer.from([FINAL | TEXT, MASKED | size]);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(((FINAL | TEXT) << 8) | MASKED | 126);
  head.writeUInt16BE(size, 2);
  return head;
}
