/**
 * Which kind of error a report belongs to. Kinds are named by a versioned id: what is remembered of an earlier version is never
 * compared with a later one.
 */
import { hash64 } from './hash.js';
import { mask } from './mask.js';
import type { ErrorReport } from './read-error.js';
import { TemplateTree } from './template-tree.js';

const VERSION = 'v1';
const TOP_FRAMES = 5;
const MAX_TITLE = 200;

export interface ErrorKind {
  /** `v1:9f86d081884c7d65` */
  readonly id: string;
  readonly title: string;
}

export class KindFinder {
  readonly #tree: TemplateTree;

  /** @param saved what `save` answered, also after JSON; anything else begins anew. */
  constructor(saved?: unknown) {
    this.#tree = TemplateTree.restore(saved);
  }

  find(report: ErrorReport): ErrorKind {
    const type = report.type ?? '';
    if (report.frames.length > 0) {
      const title = titleOf(type, mask(report.message));
      return { id: idOf(['stack', type, ...topFrames(report.frames), ...causeTypes(report.causes)]), title };
    }
    const { first, template } = this.#tree.find(type, mask(report.message));
    return {
      id: idOf(['message', type, first, ...causeTypes(report.causes)]),
      title: titleOf(type, template),
    };
  }

  save(): unknown {
    return this.#tree.save();
  }
}

function idOf(parts: readonly string[]): string {
  return `${VERSION}:${hash64(parts.join('\n'))}`;
}

function titleOf(type: string, message: string): string {
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
