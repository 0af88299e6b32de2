/** It crashed by an error that nobody caught, or that it printed before it ended: what kind of error that was. */
import type { ExitCause } from '../../protocol/index.js';
import type { ExitEvidence } from '../evidence.js';
import type { Fact, Finding } from '../finding.js';

interface Kind {
  readonly cause: ExitCause;
  readonly summary: string;
  readonly hint: string | null;
  readonly facts?: readonly Fact[];
}

type Classify = (text: string, evidence: ExitEvidence) => Kind | undefined;

export function exceptionRule(evidence: ExitEvidence): Finding | undefined {
  const { error, pid, exit, testimony } = evidence;
  if (!error || exit.code === 0) return undefined;
  const text = [error.type, error.message].filter(Boolean).join(': ');
  const where = error.at === null ? '' : ` (${error.at})`;
  const isSaid = error.pid !== null;
  const isOwn = error.pid === pid;
  const who = !isSaid || isOwn ? '' : ` in its process ${error.pid}`;
  const kind = CLASSES.map((classify) => classify(text, evidence)).find(Boolean);
  const isRejection = isSaid && testimony.rejections.has(error.pid);
  const plain: Kind = isRejection
    ? {
        cause: 'rejection',
        summary: `a promise was rejected and nobody handled it${who}: ${text}${where}`,
        hint: null,
      }
    : { cause: 'exception', summary: `an error that nobody caught${who}: ${text}${where}`, hint: null };
  const {
    cause,
    summary,
    hint,
    facts = [],
  } = kind ? { ...kind, summary: `${kind.summary}${who}${where}` } : plain;
  const source = isSaid ? 'preload' : 'stderr';
  return {
    cause,
    summary,
    confidence: isSaid ? 'certain' : 'likely',
    evidence: [{ source, fact: `${text}${where}` }, { source: 'exit status', fact: exit.reason }, ...facts],
    hint,
  };
}

/** Of Node.js (`:::3000`, `::1:3000`), Go, nginx and asyncio. */
const PORTS = [
  /EADDRINUSE\b[^\n]*?\s\S*:(\d{1,5})\b/,
  /:(\d{1,5}): bind: address already in use/i,
  /bind\(\) to \S+:(\d{1,5}) failed \(98\b/,
  /\('[^']*', (\d{1,5})(?:, \d+, \d+)?\): address already in use/i,
];

function portTaken(text: string, { holderOf }: ExitEvidence): Kind | undefined {
  if (!/EADDRINUSE|address already in use/i.test(text)) return undefined;
  const port = Number(PORTS.map((pattern) => pattern.exec(text)?.[1]).find(Boolean));
  if (!port)
    return {
      cause: 'port-taken',
      summary: `it wanted to listen where somebody else does: ${text}`,
      hint: null,
    };
  const holder = holderOf(port);
  const by = holder === undefined ? 'and nobody holds it any more' : `by ${holder}`;
  return {
    cause: 'port-taken',
    summary: `port ${port} was taken, ${by}`,
    hint: holder === undefined ? null : 'end that process, or give the service another port',
    facts: [
      { source: 'open sockets', fact: `port ${port} is held ${holder === undefined ? 'by nobody now' : by}` },
    ],
  };
}

function moduleMissing(text: string): Kind | undefined {
  const name =
    /Cannot find (?:module|package) '([^']+)'/.exec(text)?.[1] ??
    /No module named '?([\w.]+)/.exec(text)?.[1];
  if (name === undefined) return undefined;
  const isFile = name.startsWith('/') || name.startsWith('.');
  return {
    cause: 'module-missing',
    summary: `the module "${name}" does not exist`,
    hint: isFile
      ? 'correct the path, or build what makes that file'
      : 'install it: npm ci in the folder of the service',
  };
}

const FILE_ERRORS: Readonly<Record<string, ExitCause>> = {
  ENOENT: 'file-missing',
  ENOTDIR: 'file-missing',
  EACCES: 'permission-denied',
  EPERM: 'permission-denied',
};

function fileError(text: string): Kind | undefined {
  const node = /\b(ENOENT|ENOTDIR|EACCES|EPERM)\b: [^,]+, \w+ '([^']+)'/.exec(text);
  if (node) return wordFile(FILE_ERRORS[node[1]!]!, node[2]!);
  const spawn = /\bspawn(?:Sync)? (\S+) (ENOENT|EACCES)/.exec(text);
  if (spawn) {
    const [, program = '', code = ''] = spawn;
    return code === 'ENOENT'
      ? {
          cause: 'file-missing',
          summary: `it wanted to execute "${program}", which does not exist`,
          hint: 'install it, or correct PATH',
        }
      : wordFile('permission-denied', program);
  }
  const listen = /listen (EACCES|EPERM)\b[^\n]*?\s\S*:(\d{1,5})\b/.exec(text);
  if (listen)
    return {
      cause: 'permission-denied',
      summary: `it may not listen on port ${listen[2]}`,
      hint: 'ports below 1024 need privilege: declare the port, with a daemon of root, or use a higher one',
    };
  const python = /^(FileNotFoundError|PermissionError): .*?'([^']+)'/.exec(text);
  if (python)
    return wordFile(python[1] === 'PermissionError' ? 'permission-denied' : 'file-missing', python[2]!);
  return undefined;
}

function wordFile(cause: ExitCause, path: string): Kind {
  return cause === 'file-missing'
    ? { cause, summary: `the file ${path} does not exist`, hint: 'create it, or correct the path' }
    : { cause, summary: `it has no permission for ${path}`, hint: `see who may: ls -ld ${path}` };
}

const KEY = '([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{3,})';
const MISSING =
  '(?:is not set|not set|is not defined|must be set|is required|is missing|missing|required|undefined)';
const ENVIRONMENT = [
  new RegExp(`env(?:ironment)?(?: variable| var)?s?[^A-Z]{0,20}["'\`]?${KEY}\\b`, 'i'),
  new RegExp(`\\b${KEY}["'\`]? (?:environment |env )?(?:variable )?${MISSING}`),
  new RegExp(`${MISSING}[^A-Z]{0,30}["'\`]?${KEY}\\b`),
  new RegExp(`^KeyError: '${KEY}'`),
];

/** Where nothing says that a key is one of the environment, it may be a field of anything; not so while it begins. */
const NAMES_ENVIRONMENT = /env|variable|^KeyError|_[A-Z0-9]+["'`]? (?:is not set|not set|must be set)/i;
const BEGINS_MS = 10_000;

/** Only a key that the process did not have. */
function environmentMissing(text: string, { variables, exit }: ExitEvidence): Kind | undefined {
  if (variables === null || /^(?:Reference|Syntax|Type)Error/.test(text)) return undefined;
  const key = ENVIRONMENT.map((pattern) => pattern.exec(text)?.[1]).find(
    (each) => each !== undefined && each === each.toUpperCase(),
  );
  const isNamed = NAMES_ENVIRONMENT.test(text) || (exit.livedMs < BEGINS_MS && key?.includes('_'));
  if (key === undefined || variables.has(key) || !isNamed) return undefined;
  return {
    cause: 'environment-missing',
    summary: `the variable ${key} is not set: ${text}`,
    hint: `set it in env, envFiles or secrets of the service; see what it has: upkeep env <service>`,
  };
}

/** Also thrown by JSON.parse(), RegExp() and BigInt(), for what the program was given. */
const OF_DATA = /JSON|regular expression|BigInt/i;

function syntaxError(text: string): Kind | undefined {
  return /^SyntaxError\b/.test(text) && !OF_DATA.test(text)
    ? {
        cause: 'syntax-error',
        summary: `its code cannot be read: ${text}`,
        hint: 'check the version of Node that runs it, and the last change',
      }
    : undefined;
}

const CLASSES: readonly Classify[] = [portTaken, moduleMissing, fileError, environmentMissing, syntaxError];

/** What shells and loaders say on stderr before they end with 126 or 127. */
const SHELL: readonly (readonly [RegExp, number, (name: string) => Kind])[] = [
  [
    /(?:^|: )["'‘]?([^\s:'"‘’]+)["'’]?: (?:command )?not found\b|‘?([^\s‘’:]+)’?: No such file or directory/,
    127,
    (name) => ({
      cause: 'interpreter-missing',
      summary: `the command "${name}" does not exist`,
      hint: 'install it, or correct PATH',
    }),
  ],
  [
    /: ([^\s:]+): Permission denied/,
    126,
    (name) => ({
      cause: 'permission-denied',
      summary: `${name} may not be executed`,
      hint: `chmod +x ${name}`,
    }),
  ],
];
const UNSET = /: (\w+): (?:parameter (?:null or )?not set|unbound variable)/;

export function shellRule({ exit, err }: ExitEvidence): Finding | undefined {
  const line = err.findLast((each) => each.trim() !== '') ?? '';
  const unset = exit.code === null || exit.code === 0 ? null : UNSET.exec(line);
  if (unset)
    return finding(line, {
      cause: 'environment-missing',
      summary: `the variable ${unset[1]} is not set`,
      hint: 'set it in env, envFiles or secrets of the service',
    });
  for (const [pattern, code, word] of SHELL) {
    const match = exit.code === code ? pattern.exec(line) : null;
    if (match) return finding(line, word(match[1] ?? match[2] ?? ''));
  }
  return undefined;
}

function finding(line: string, kind: Kind): Finding {
  const evidence = [{ source: 'stderr', fact: line.slice(0, 300) }];
  return { ...kind, confidence: 'certain', evidence };
}
