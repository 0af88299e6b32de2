/** Finds where a text stops being JSON: JSON.parse does not say so in all versions of Node. */

export interface SyntaxError {
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

const BLANK = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const ATOM = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

/** The first place at which strict JSON is left; undefined when the text is JSON. */
export function findJsonError(text: string): SyntaxError | undefined {
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

function explain(text: string, offset: number): SyntaxError {
  const rest = text.slice(offset);
  const comma = /,\s*$/.exec(text.slice(0, offset));
  if (/^[}\]]/.test(rest) && comma) {
    return { offset: comma.index, message: '"," stands before a closing bracket', hint: 'remove the comma' };
  }
  if (/^(?:\/[/*]|#)/.test(rest)) {
    return { offset, message: 'JSON has no comments', hint: 'remove the comment, or rename the file to upkeep.config.yaml' };
  }
  if (rest.startsWith("'")) return { offset, message: 'JSON text stands in double quotes', hint: 'write "..."' };
  if (rest === '') return { offset: Math.max(0, offset - 1), message: 'the file ends too early', hint: 'close every bracket and quote' };
  if (rest.startsWith('"')) {
    const isEntry = /["\d\w}\]]\s*$/.test(text.slice(0, offset));
    return isEntry
      ? { offset, message: 'a comma is missing before this', hint: 'write "," after the entry before' }
      : { offset, message: 'this text is not valid in JSON', hint: 'close the quote on the same line and write \\\\ for a backslash' };
  }
  const word = /^[\w$.+-]+/.exec(rest)?.[0] ?? rest[0];
  return { offset, message: `"${word}" is not valid here in JSON`, hint: 'JSON knows text in double quotes, numbers, true, false, null, {} and []' };
}
