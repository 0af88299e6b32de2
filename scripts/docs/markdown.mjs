/** The few pieces of Markdown that the pages are made of, and the books on what was placed. */

/** Cells are Markdown already; a bar would end one. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export function fence(language, text) {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

export const code = (text) => `\`${text}\``;

/** `a`, `a or b`, `a, b or c`. */
export function either(words) {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** Sees to it that each of the names has its place on the page, and none that does not exist. */
export function createBook(what, names) {
  const open = new Set(names);
  const known = new Set(names);
  return {
    place(name) {
      if (!known.has(name)) throw new Error(`docs/templates: there is no ${what} "${name}"`);
      open.delete(name);
    },
    finish() {
      if (open.size > 0) throw new Error(`docs/templates: no place for ${what} ${[...open].join(', ')}`);
    },
  };
}

/** What the comment of a declaration says, and its `@default`. */
export function textOf(comments) {
  const text = (comments?.at(-1)?.value ?? '')
    .split('\n')
    .map((line) => line.replace(/^\s*\*+\s?/, '').trim())
    .join(' ')
    .trim();
  const [description = '', byDefault] = text.split(/\s*@default\s+/);
  return { description, byDefault };
}
