/** Words the errors of the YAML parser for people who did not write a parser. */
import type { YAMLError, YAMLWarning } from 'yaml';

interface Explanation {
  readonly message: string;
  readonly hint: string;
}

export function explainYamlError(error: YAMLError | YAMLWarning, text: string): Explanation {
  const there = text.slice(error.pos[0]).split(/[\n,]/)[0] ?? '';
  const [, bracket] = /end with a ([}\]])/.exec(error.message) ?? [];
  if (bracket)
    return { message: `a bracket is not closed: "${bracket}" is missing`, hint: `write "${bracket}" here` };
  if (/missing closing/i.test(error.message)) return OPEN_QUOTE;
  const known = EXPLANATIONS[error.code]?.(there.trim());
  if (known) return known;
  const [fact = ''] = error.message.split('\n');
  return {
    message: `${fact.charAt(0).toLowerCase()}${fact.slice(1)}`.replace(/[.:]$/, ''),
    hint: 'check the indentation and the quotes of this line',
  };
}

const OPEN_QUOTE: Explanation = {
  message: 'a quote is not closed',
  hint: 'close the quote, and indent the lines that continue the text',
};

const QUOTE_STAR = 'quote text that begins with "*", for example run: "* * * * *"';

/** Its name is not repeated: it may be a secret that was meant as text. */
export const LOST_ALIAS: Explanation = {
  message: 'text that begins with "*" refers to an anchor, and there is none of this name',
  hint: `${QUOTE_STAR}; an anchor is written &name`,
};

const EXPLANATIONS: Partial<Record<string, (there: string) => Explanation>> = {
  TAB_AS_INDENT: () => ({ message: 'a tab is used for indentation', hint: 'indent with blanks' }),
  DUPLICATE_KEY: (key) => ({
    message: `"${/^["']?([^:"']*)/.exec(key)?.[1]}" stands twice in the same map`,
    hint: 'keep one of the two',
  }),
  MULTIPLE_DOCS: () => ({
    message: 'the file holds more than one document',
    hint: 'remove "---", or write one file for each',
  }),
  BAD_ALIAS: () => ({ message: '"*" begins a reference to an anchor', hint: QUOTE_STAR }),
  BAD_SCALAR_START: (scalar) => ({
    message: `text may not begin with "${scalar.charAt(0)}"`,
    hint: `quote it, for example "${scalar.charAt(0)}daily"`,
  }),
  BAD_INDENT: () => ({
    message: 'the indentation does not fit the lines above',
    hint: 'give all keys of a map the same indentation',
  }),
  BLOCK_AS_IMPLICIT_KEY: () => ({
    message: 'a second ":" stands in this line',
    hint: 'quote a value that holds ": "',
  }),
  TAG_RESOLVE_FAILED: (tag) => ({
    message: `"${/^\S*/.exec(tag)?.[0]}" is not a known tag`,
    hint: 'remove the tag, or quote the value',
  }),
};
