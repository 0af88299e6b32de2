/** Finds where a text stops being JSON: JSON.parse does not say so in all versions of Node. */

export interface JsonError {
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

const BLANK = /[ \t\r\n]*/y;
// oxlint-disable-next-line no-control-regex -- JSON text may not hold them
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const ATOM = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

/** The first place at which strict JSON is left; undefined when the text is JSON. */
export function findJsonError(text: string): JsonError | undefined {
  let offset = 0;
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = offset;
    const match = pattern.exec(text);
    if (match) offset = pattern.lastIndex;
    return match !== null;
  };
  const next = (): string | undefined => {
    take(BLANK);
    return text[offset];
  };
  const takeChar = (char: string): boolean => {
    const isThere = next() === char;
    if (isThere) offset++;
    return isThere;
  };
  const takeItems = (close: string, takeItem: () => boolean): boolean => {
    if (takeChar(close)) return true;
    do {
      if (!takeItem()) return false;
    } while (takeChar(','));
    return takeChar(close);
  };
  const takeEntry = (): boolean => {
    next();
    return take(STRING) && takeChar(':') && takeValue();
  };
  const takeValue = (): boolean => {
    if (takeChar('{')) return takeItems('}', takeEntry);
    if (takeChar('[')) return takeItems(']', takeValue);
    return take(STRING) || take(ATOM);
  };
  const isJson = takeValue() && next() === undefined;
  return isJson ? undefined : explain(text, offset);
}

/** Values are not repeated here: they may be secrets. */
function explain(text: string, offset: number): JsonError {
  const before = text.slice(0, offset);
  const rest = text.slice(offset);
  const because = (message: string, hint: string, at = offset): JsonError => ({ offset: at, message, hint });
  const comma = /,\s*$/.exec(before);
  if (/^[}\]]/.test(rest) && comma) {
    return because('"," stands before a closing bracket', 'remove the comma', comma.index);
  }
  if (/^(?:\/[/*]|#)/.test(rest)) {
    return because('JSON has no comments', 'remove the comment, or rename the file to upkeep.config.yaml');
  }
  if (rest.startsWith("'")) return because('JSON text stands in double quotes', 'write "..."');
  if (rest === '') {
    return because('the file ends too early', 'close every bracket and quote', Math.max(0, offset - 1));
  }
  if (/["\w}\]]\s*$/.test(before)) {
    return because('a comma or a bracket is missing before this', 'write "," after the entry before');
  }
  if (rest.startsWith('"')) {
    return because('this text is not closed on its line', 'close the quote, and write \\n for a new line');
  }
  const key = /[{,]\s*$/.test(before) ? /^[\w$-]+/.exec(rest)?.[0] : undefined;
  return key
    ? because(`"${key}" stands without quotes`, `write "${key}"`)
    : because(
        'this is not valid in JSON',
        'write text in double quotes, a number, true, false, null, {} or []',
      );
}
