/** Groups masked messages that differ in a few words, after Drain: by type, number of words, and first words. */

export interface Template {
  /** The first message of the group: it names it for ever. */
  readonly first: string;
  /** With `<*>` where its messages differ. */
  readonly template: string;
}

interface Group {
  readonly first: string;
  words: string[];
}

const ANY = '<*>';
const LEAST_SIMILARITY = 0.6;
const MAX_GROUPS = 5000;

export class TemplateTree {
  readonly #groups = new Map<string, Group[]>();
  #count = 0;

  static restore(saved: unknown): TemplateTree {
    const tree = new TemplateTree();
    if (!Array.isArray(saved)) return tree;
    for (const entry of saved as unknown[]) {
      if (!Array.isArray(entry) || !entry.every((part) => typeof part === 'string')) continue;
      const [key = '', first = '', words = ''] = entry;
      tree.#add(key, { first, words: words.split(' ') });
    }
    return tree;
  }

  find(type: string, masked: string): Template {
    const words = masked.split(/\s+/);
    const key = `${type}\n${words.length}\n${words[0]!}`;
    const group = this.#nearest(key, words) ?? this.#add(key, { first: masked, words });
    group.words = group.words.map((word, index) => (word === words[index] ? word : ANY));
    return { first: group.first, template: group.words.join(' ') };
  }

  save(): unknown {
    return [...this.#groups].flatMap(([key, groups]) =>
      groups.map(({ first, words }) => [key, first, words.join(' ')]),
    );
  }

  #nearest(key: string, words: readonly string[]): Group | undefined {
    let best: Group | undefined;
    let most = LEAST_SIMILARITY * words.length;
    for (const group of this.#groups.get(key) ?? []) {
      const same = group.words.filter((word, index) => word === words[index]).length;
      if (same >= most) [best, most] = [group, same + 1];
    }
    return best;
  }

  #add(key: string, group: Group): Group {
    if (this.#count >= MAX_GROUPS) {
      const [oldest] = this.#groups;
      this.#count -= oldest![1].length;
      this.#groups.delete(oldest![0]);
    }
    const groups = this.#groups.get(key);
    if (groups) groups.push(group);
    else this.#groups.set(key, [group]);
    this.#count++;
    return group;
  }
}
