/** What the applications answer, and whether it is right; see description.ts. */
import { crc32 } from 'node:zlib';

/** An answer came whole, and is not the right one. */
export class WrongAnswer extends Error {}

/** Answers the pid of who served it. */
export type Judge = (body: Buffer) => number;

interface Answer {
  readonly pid: number;
  readonly id: string;
  readonly bytes?: number;
  readonly crc32?: number;
}

export function judgeById(id: string): Judge {
  return (body) => parse(body, id).pid;
}

export function judgeSum(id: string, sent: Buffer): Judge {
  const sum = crc32(sent);
  return (body) => {
    const answer = parse(body, id);
    if (answer.bytes !== sent.length)
      throw new WrongAnswer(`${answer.bytes} bytes of ${sent.length} arrived`);
    if (answer.crc32 !== sum) throw new WrongAnswer(`the CRC is ${answer.crc32}, not ${sum}`);
    return answer.pid;
  };
}

/** `pid 123 …`, as long as asked for, and at its end the CRC of everything before as 8 hexadecimal digits. */
export function judgeDownload(bytes: number): Judge {
  return (body) => {
    if (body.length !== bytes) throw new WrongAnswer(`${body.length} bytes instead of ${bytes}`);
    const sum = crc32(body.subarray(0, -8)).toString(16).padStart(8, '0');
    const told = body.subarray(-8).toString('latin1');
    if (told !== sum) throw new WrongAnswer(`the CRC is ${sum}, and should be ${told}`);
    const [, pid] = /^pid (\d+) /.exec(body.subarray(0, 20).toString('latin1')) ?? [];
    if (pid === undefined) throw new WrongAnswer('it does not begin with a pid');
    return Number(pid);
  };
}

function parse(body: Buffer, id: string): Answer {
  let answer: Answer;
  try {
    answer = JSON.parse(body.toString()) as Answer;
  } catch {
    throw new WrongAnswer(`not JSON: ${body.subarray(0, 60).toString('latin1')}`);
  }
  if (answer.id !== id) throw new WrongAnswer(`the answer to ${answer.id}`);
  return answer;
}
