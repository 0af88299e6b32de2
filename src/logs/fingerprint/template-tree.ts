/**
 * Groups masked messages that differ in a word or two, once that word has shown that it varies.
 *
 * Drain merges messages of which enough words are equal, and so takes `VM started` and `VM stopped` for one. Here a difference
 * is one of kinds until a place has had as many values as few enumerations of states have. From then on all messages with any
 * word at that place are one kind, also those that were told apart before: the oldest gives the name.
 */
import { ANY } from './mask.js';
import { siblingKeys, type SiblingKey } from './siblings.js';
import { keyOf, plus, sumOf } from './word-sum.js';

/** How many values make a place one that varies: the only setting, for everything (notes/fingerprints.md). */
const VALUES = { ofOne: 5, ofTwo: 8, whereAnyWasSeen: 3 };
const MAX_DEPTH = 3;
const MAX_TEMPLATES = 1000;
const MAX_RECENT = 4000;
const MAX_REPLACED = 2000;

/** A kind of message. */
export interface Group {
  /** Made of its first message, for ever. */
  readonly id: string;
  readonly scope: string;
  readonly order: number;
  /** `…` where its messages differ. */
  words: readonly string[];
  /** An older one that it turned out to be. */
  same?: Group;
}

interface Template {
  readonly words: readonly string[];
  readonly group: Group;
}

/** Those that a key has in common, until there are enough of them: then everything with this key is of one group. */
type Siblings = Template[] | Group;

export interface SavedTree {
  readonly templates: readonly (readonly [
    scope: string,
    id: string,
    words: readonly string[],
    ofGroup: readonly string[],
  ])[];
  readonly replaced: readonly (readonly [id: string, by: string])[];
}

export class TemplateTree {
  readonly #templates = new Map<number, Template>();
  readonly #siblings = new Map<number, Template | Siblings>();
  /** What was found by its siblings. */
  readonly #recent = new Map<number, Group>();
  readonly #replaced = new Map<string, string>();
  readonly #idOf: (scope: string, first: readonly string[]) => string;
  #order = 0;

  constructor(idOf: (scope: string, first: readonly string[]) => string) {
    this.#idOf = idOf;
  }

  /** Messages of different scopes are never in one group. */
  find(scope: string, words: readonly string[]): Group {
    const sum = plus(sumOf(words), sumOf([scope]));
    const key = keyOf(sum);
    const known = this.#templates.get(key)?.group ?? this.#recent.get(key);
    if (known?.scope === scope) return current(known);
    const keys = siblingKeys(sum, words);
    for (const { key: siblingsKey } of keys) {
      const siblings = this.#siblings.get(siblingsKey);
      if (isGroup(siblings) && siblings.scope === scope) return this.#remember(key, current(siblings));
    }
    if (this.#templates.size >= MAX_TEMPLATES) this.#forgetOlderHalf();
    const group: Group = { id: this.#idOf(scope, words), scope, order: this.#order++, words };
    this.#replaced.delete(group.id); // forgotten, and here again
    this.#add(key, { words, group }, keys);
    return current(group);
  }

  idNow(id: string): string {
    let last = id;
    for (let by = this.#replaced.get(id); by !== undefined; by = this.#replaced.get(by)) last = by;
    return last;
  }

  save(): SavedTree {
    const templates = [...this.#templates.values()].map(({ words, group }) => {
      const { scope, id, words: ofGroup } = current(group);
      return [scope, id, words, ofGroup] as const;
    });
    return { templates, replaced: [...this.#replaced] };
  }

  restore({ templates, replaced }: SavedTree): void {
    for (const [id, by] of replaced.slice(-MAX_REPLACED)) this.#replaced.set(id, by);
    const groups = new Map<string, Group>();
    for (const [scope, id, words, ofGroup] of templates.slice(-MAX_TEMPLATES)) {
      const group = groups.get(id) ?? { id, scope, order: this.#order++, words: ofGroup };
      groups.set(id, group);
      const sum = plus(sumOf(words), sumOf([scope]));
      this.#add(keyOf(sum), { words, group }, siblingKeys(sum, words), MAX_DEPTH);
    }
  }

  #remember(key: number, group: Group): Group {
    if (this.#recent.size >= MAX_RECENT) this.#recent.clear();
    this.#recent.set(key, group);
    return group;
  }

  #add(key: number, template: Template, keys: readonly SiblingKey[], depth = 0): void {
    this.#templates.set(key, template);
    for (const each of keys) {
      const before = this.#siblings.get(each.key);
      if (before === undefined) this.#siblings.set(each.key, template);
      else if (scopeOf(before) !== template.group.scope)
        continue; // two sums are equal by chance
      else if (isGroup(before)) this.#unite(before, template.group);
      else this.#addSibling(each, [...(isTemplate(before) ? [before] : before), template], depth);
    }
  }

  #addSibling(key: SiblingKey, templates: Template[], depth: number): void {
    if (doVary(templates, key, this.#templates.has(key.anyKey))) this.#merge(key, templates, depth);
    else this.#siblings.set(key.key, templates);
  }

  /** What these siblings have in common is a template, too, and may have siblings of its own. */
  #merge({ key, anyKey, place, other }: SiblingKey, templates: readonly Template[], depth: number): void {
    const common = this.#templates.get(anyKey);
    const groups = [...templates, ...(common ? [common] : [])].map(({ group }) => group);
    for (const group of groups) this.#unite(groups[0]!, group);
    const group = current(groups[0]!);
    group.words = templates[0]!.words.map((word, at) => (at === place || at === other ? ANY : word));
    this.#siblings.set(key, group);
    if (common || depth >= MAX_DEPTH) return;
    const sum = plus(sumOf(group.words), sumOf([group.scope]));
    this.#add(keyOf(sum), { words: group.words, group }, siblingKeys(sum, group.words), depth + 1);
  }

  #unite(one: Group, other: Group): void {
    const [a, b] = [current(one), current(other)];
    if (a === b) return;
    const [older, newer] = a.order < b.order ? [a, b] : [b, a];
    newer.same = older;
    this.#replaced.set(newer.id, older.id);
    if (this.#replaced.size > MAX_REPLACED) this.#replaced.delete(this.#replaced.keys().next().value!);
  }

  /** With what it taught about places. */
  #forgetOlderHalf(): void {
    const templates = this.save().templates.slice(-MAX_TEMPLATES / 2);
    for (const map of [this.#templates, this.#siblings, this.#recent]) map.clear();
    this.restore({ templates, replaced: [] });
  }
}

function doVary(templates: readonly Template[], { place, other }: SiblingKey, wasAnySeen: boolean): boolean {
  const least = wasAnySeen ? VALUES.whereAnyWasSeen : other === -1 ? VALUES.ofOne : VALUES.ofTwo;
  const hasValues = (at: number): boolean => new Set(templates.map(({ words }) => words[at])).size >= least;
  return templates.length >= least && hasValues(place) && (other === -1 || hasValues(other));
}

function isGroup(siblings: Template | Siblings | undefined): siblings is Group {
  return siblings !== undefined && 'order' in siblings;
}

function isTemplate(siblings: Template | Siblings): siblings is Template {
  return 'group' in siblings;
}

function scopeOf(siblings: Template | Siblings): string {
  if (isGroup(siblings)) return siblings.scope;
  return (isTemplate(siblings) ? siblings : siblings[0]!).group.scope;
}

function current(group: Group): Group {
  let last = group;
  while (last.same) last = last.same;
  return last;
}
