/**
 * Which kind of error a report belongs to. Ids are versioned: kinds of different versions are never compared.
 *
 * A stack names its kind by the type of the exception, the top frames of the application and the types of its causes. Where the
 * type says nothing (`Error`), or no frame is known, the masked message joins them.
 */
import { hash64 } from './hash.js';
import { maskedWords } from './mask.js';
import type { ErrorReport } from './read-error.js';
import { TemplateTree, type SavedTree } from './template-tree.js';

const VERSION = 'v1';
const TOP_FRAMES = 5;
const MAX_TITLE = 200;
/** Everybody throws them for everything. */
const SAYS_NOTHING =
  /^(?:Error|error|panic|Exception|RuntimeError|(?:java\.lang\.)?(?:Exception|RuntimeException|Error|Throwable)|System\.Exception)$/;

export interface ErrorKind {
  /** `v1:9f86d081884c7d65` */
  readonly id: string;
  /** `TypeError: Cannot read properties of undefined (reading 'models')`, with `…` for what varies. */
  readonly title: string;
}

export class KindFinder {
  readonly #tree = new TemplateTree((scope, first) => idOf(scope, first.join('')));

  /** @param saved what `save` answered, also after JSON; anything else begins anew. */
  constructor(saved?: unknown) {
    if (isSaved(saved)) this.#tree.restore(saved);
  }

  find(report: ErrorReport): ErrorKind {
    const type = report.type ?? '';
    const words = maskedWords(report.message);
    const scope = [type, ...topFrames(report.frames), ...causeTypes(report.causes)].join('\n');
    if (report.frames.length > 0 && !SAYS_NOTHING.test(type))
      return { id: idOf(scope, ''), title: titleOf(type, words) };
    const group = this.#tree.find(scope, words);
    return { id: group.id, title: titleOf(type, group.words) };
  }

  /** What an id has become: kinds of messages may turn out to be one, and then have the id of the oldest. */
  idNow(id: string): string {
    return this.#tree.idNow(id);
  }

  save(): unknown {
    return { version: VERSION, ...this.#tree.save() };
  }
}

function isSaved(saved: unknown): saved is SavedTree {
  if (typeof saved !== 'object' || saved === null) return false;
  const { version, templates, replaced } = saved as Record<string, unknown>;
  return version === VERSION && Array.isArray(templates) && Array.isArray(replaced);
}

function idOf(scope: string, message: string): string {
  return `${VERSION}:${hash64(`${scope}\n\n${message}`)}`;
}

function titleOf(type: string, words: readonly string[]): string {
  const message = words.join('');
  const isSaid = type === '' || message.startsWith(type) || message.includes(`${type}: `);
  return (isSaid ? message : message ? `${type}: ${message}` : type).slice(0, MAX_TITLE);
}

/** A recursion is one kind, however deep. */
function topFrames(frames: readonly string[]): string[] {
  return frames.filter((frame, index) => frame !== frames[index - 1]).slice(0, TOP_FRAMES);
}

function causeTypes(causes: readonly string[]): string[] {
  return [...new Set(causes.map((cause) => `cause ${/^[^:\s]*/.exec(cause)![0]}`))];
}
