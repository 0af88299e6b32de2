/** Tracebacks of Python, chained and in groups. */
import { pythonFrame } from './frame.js';
import { limitCauses, type Trace } from './trace.js';

const TRACEBACK = /Traceback \(most recent call last\):$/;
/** What draws a group: `  | `, `  +-+---- 1 ----`. */
const GROUP_EDGE = /^[ ]*(?:[|] ?)/;
const RULER = /^\s*\+[-+ ]+\d*[-. ]*$/;
const EXCEPTION = /^([A-Za-z_][\w.]*)(?:: (.*))?$/;

export function readPythonTrace(lines: readonly string[]): Trace | null {
  const first = lines.findIndex((line) => TRACEBACK.test(line));
  if (first === -1) return null;
  const isGroup = lines[first]!.includes('Exception Group');
  const blocks = blocksOf(lines.slice(first).map((line) => line.replace(GROUP_EDGE, '')));
  const exceptions = blocks.flatMap((block) => exceptionIn(block) ?? []);
  const main = isGroup ? exceptions[0] : exceptions.at(-1);
  if (!main) return null;
  const others = exceptions.filter((each) => each !== main);
  const inGroup = isGroup ? lines.flatMap((line) => memberOf(line.replace(/^\s*\| ?/, '').trim()) ?? []) : [];
  return {
    type: main.type,
    message: main.message,
    frames: main.frames,
    causes: limitCauses([...others.map(wording), ...inGroup.filter((each) => each !== wording(main))]),
  };
}

function blocksOf(lines: readonly string[]): string[][] {
  const blocks: string[][] = [];
  for (const line of lines) {
    if (TRACEBACK.test(line)) blocks.push([]);
    else if (!RULER.test(line)) blocks.at(-1)?.push(line);
  }
  return blocks;
}

function exceptionIn(block: readonly string[]): Pick<Trace, 'type' | 'message' | 'frames'> | null {
  const frames = block.flatMap((line) => pythonFrame(line) ?? []).reverse();
  const line = block.findIndex((text) => text !== '' && !/^\s/.test(text));
  const found = line === -1 ? null : EXCEPTION.exec(block[line]!);
  return found && { type: found[1]!, message: (found[2] ?? '').trim(), frames };
}

function memberOf(text: string): string | null {
  return /^[A-Za-z_][\w.]*(?:Error|Exception|ExceptionGroup|Warning): /.test(text) ? text : null;
}

function wording({ type, message }: Pick<Trace, 'type' | 'message'>): string {
  return message ? `${type}: ${message}` : type!;
}
