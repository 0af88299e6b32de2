/** What a power cut may leave of the three state files, and which state has to be found in it. */
import type { ServiceSpec } from '../../../src/protocol/index.js';
import { encodeState, type StoredState } from '../../../src/store/index.js';
import { BARE_SPEC } from '../../../src/core/bare-spec.js';

export const NAMES = ['state.json', 'state.json.new', 'state.json.previous'] as const;
export type Name = (typeof NAMES)[number];
export type Files = Partial<Record<Name, Buffer | undefined>>;

export interface Case {
  readonly title: string;
  readonly files: Files;
  /** The number of the state that must be loaded; 0: none is whole, the home begins empty. */
  readonly expected: number;
  /** Nothing unusual happened, so nothing is to be said. */
  readonly isNormal: boolean;
}

const SPEC: ServiceSpec = {
  ...BARE_SPEC,
  name: 'api',
  env: { GREETING: { value: 'grüß dich', source: 'upkeep.config.ts:12' } },
};

/** State number n has n instances: `list` alone tells which one a daemon has loaded. */
export function stateNumber(seq: number): StoredState {
  return {
    services: [
      {
        spec: { ...SPEC, instances: seq },
        isWanted: false,
        attempts: Array(seq).fill(0),
        restarts: [],
        completed: [],
        listens: [],
      },
    ],
  };
}

export function bytesOf(seq: number, format?: number): Buffer {
  return Buffer.from(encodeState(seq, JSON.stringify(stateNumber(seq)), format));
}

/** Every moment of the first, the second and the third write, and every `stride`th byte of it. */
export function* cutWrites(stride: number): Generator<Case> {
  for (const seq of [1, 2, 3]) {
    const before: Files = {
      ...(seq > 1 ? { 'state.json': bytesOf(seq - 1) } : {}),
      ...(seq > 2 ? { 'state.json.previous': bytesOf(seq - 2) } : {}),
    };
    const [title, fresh] = [`write ${seq}`, bytesOf(seq)];
    yield { title: `${title}: not begun`, files: before, expected: seq - 1, isNormal: true };
    for (let length = 0; length < fresh.length; length += stride) {
      const files = { ...before, 'state.json.new': fresh.subarray(0, length) };
      yield { title: `${title}: cut at byte ${length}`, files, expected: seq - 1, isNormal: false };
    }
    yield {
      title: `${title}: written, nothing renamed`,
      files: { ...before, 'state.json.new': fresh },
      expected: seq,
      isNormal: false,
    };
    const kept: Files = seq > 1 ? { 'state.json.previous': bytesOf(seq - 1) } : {};
    yield {
      title: `${title}: the previous state removed`,
      files: { ...before, 'state.json.previous': undefined, 'state.json.new': fresh },
      expected: seq,
      isNormal: false,
    };
    yield {
      title: `${title}: the present state kept as the previous one`,
      files: { ...before, ...kept, 'state.json.new': fresh },
      expected: seq,
      isNormal: false,
    };
    yield {
      title: `${title}: renamed`,
      files: { ...kept, 'state.json': fresh },
      expected: seq,
      isNormal: true,
    };
  }
}

/** One name and what became of its file. */
interface Fate {
  readonly title: string;
  readonly bytes: Buffer | undefined;
  readonly seq: number;
}

/** What no ordered disk would do: every combination of fates of the three files, whatever was renamed over what. */
export function* disorder(stride: number): Generator<Case> {
  const [current, fresh, previous] = [fates(3, stride), fates(4, stride), fates(2, stride)];
  for (const [index, first] of current.entries()) {
    for (const second of thinned(fresh, index)) {
      for (const third of thinned(previous, index)) yield combine(first, second, third);
    }
  }
}

/** Every bit of a file, while the state before it is whole. */
export function* flippedBits(stride: number): Generator<Case> {
  const whole = bytesOf(3);
  for (let bit = 0; bit < whole.length * 8; bit += stride) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    const files = { 'state.json': flipped, 'state.json.previous': bytesOf(2) };
    yield { title: `bit ${bit} flipped`, files, expected: 2, isNormal: false };
  }
}

function combine(current: Fate, fresh: Fate, previous: Fate): Case {
  const all = { 'state.json': current, 'state.json.new': fresh, 'state.json.previous': previous };
  const files = Object.fromEntries(
    Object.entries(all).flatMap(([name, { bytes }]) => (bytes ? [[name, bytes]] : [])),
  ) as Files;
  const seqs = Object.values(all).map(({ seq }) => seq);
  const isBroken = Object.values(all).some(({ bytes, seq }) => bytes !== undefined && seq === 0);
  return {
    title: Object.entries(all)
      .map(([name, { title }]) => `${name} ${title}`)
      .join(', '),
    files,
    expected: Math.max(...seqs),
    isNormal: !isBroken && current.seq === Math.max(...seqs),
  };
}

function fates(seq: number, stride: number): Fate[] {
  const whole = bytesOf(seq);
  const all: Fate[] = [
    { title: 'absent', bytes: undefined, seq: 0 },
    { title: 'whole', bytes: whole, seq },
    { title: 'of length zero', bytes: Buffer.alloc(0), seq: 0 },
    { title: 'all zeros', bytes: Buffer.alloc(whole.length), seq: 0 },
    { title: 'with garbage behind it', bytes: Buffer.concat([whole, Buffer.from('{"x')]), seq: 0 },
  ];
  for (let length = 1; length < whole.length; length += 60 * stride) {
    const zeros = Buffer.concat([whole.subarray(0, length), Buffer.alloc(whole.length - length)]);
    all.push({ title: `torn at ${length}`, bytes: whole.subarray(0, length), seq: 0 });
    all.push({ title: `zeros from ${length}`, bytes: zeros, seq: 0 });
  }
  return all;
}

/** The five plain fates, and one of the others in turn. */
function thinned(all: readonly Fate[], turn: number): Fate[] {
  const rest = all.slice(5);
  return [...all.slice(0, 5), ...rest.slice(turn % rest.length, (turn % rest.length) + 1)];
}
