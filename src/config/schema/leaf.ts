/** The values at the ends of the configuration: text in, checked and converted out. */
import * as v from 'valibot';
import { mostSimilar, parseBytes, parseDuration } from '../../util/index.js';
import { SIGNALS, type SignalName } from '../../protocol/index.js';
import { say, sayOneOf, type Saying } from './say.js';

/** Text that is not empty; `example` is a whole value for the hint. */
export const text = (example: string) => {
  const message = say('{value} is not text', `write {key}: ${example}`);
  return v.pipe(v.string(message), v.nonEmpty(message));
};

/** A list of texts. */
export const texts = (example: string) => {
  const message = say('{value} is not a list of texts', `write {key}: ${example}`);
  return v.array(v.string(say('{value} is not text', 'quote it')), message);
};

export const sayFlag = ({ input }: { input: unknown }): Saying => {
  const meant = typeof input === 'string' && /^(?:yes|on|y)$/i.test(input) ? 'true' : 'false';
  return isYamlOneWord(input)
    ? say('{value} is text, not true or false', `write {key}: ${meant} (YAML 1.2 has no yes, no, on and off)`)
    : say('{value} is not true or false', 'write {key}: true');
};

/** Words that YAML 1.1 read as true and false, and YAML 1.2 reads as text. */
export function isYamlOneWord(input: unknown): boolean {
  return typeof input === 'string' && /^(?:yes|no|on|off|y|n)$/i.test(input);
}

export const flag = v.boolean(sayFlag);

export const wholeNumber = (min: number, max: number, example: number) => {
  const isOpen = max === Number.MAX_SAFE_INTEGER;
  const message = ({ input }: { input: unknown }) =>
    typeof input === 'number' && Number.isInteger(input)
      ? say(
          `{value} is ${input < min ? `less than ${min}` : `more than ${max}`}`,
          isOpen ? `write {key}: ${example}` : `write {key}: ${example} (allowed is ${min} to ${max})`,
        )
      : say('{value} is not a whole number', `write {key}: ${example}`);
  return v.pipe(v.number(message), v.integer(message), v.minValue(min, message), v.maxValue(max, message));
};

/** Milliseconds; `min` refuses what would be senseless, such as no time at all. */
export const duration = (example: string, min = 0) =>
  v.pipe(
    v.union([v.string(), v.number()], say('{value} is not a duration', `write {key}: ${example}`)),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const ms = parseDuration(dataset.value);
      if (ms !== undefined && ms >= min) return ms;
      const isShort = ms !== undefined || Number(dataset.value) < 0 || /^\s*-\d/.test(String(dataset.value));
      const least = min === 0 ? 'negative' : min === 1 ? 'not more than 0' : `less than ${min} ms`;
      addIssue({
        message: isShort
          ? say(`{value} is ${least}`, `write {key}: ${example}`)
          : say(
              '{value} is not a duration',
              `write a number and ms, s, m, h or d, for example {key}: ${example}`,
            ),
      });
      return NEVER;
    }),
  );

const bytesMessage = say(
  '{value} is not a size',
  'write a number and KB, MB or GB, for example {key}: 512MB',
);

/** Bytes, more than none. */
export const size = v.pipe(
  v.union([v.string(), v.number()], bytesMessage),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const bytes = parseBytes(dataset.value);
    if (bytes !== undefined && bytes > 0) return bytes;
    addIssue({
      message: bytes === 0 ? say('{value} is not more than 0', 'write {key}: 512MB') : bytesMessage,
    });
    return NEVER;
  }),
);

/** With or without "SIG", in any case. */
export const signal = v.pipe(
  v.string(say('{value} is not the name of a signal', 'write {key}: SIGTERM')),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const upper = dataset.value.toUpperCase();
    const name = SIGNALS.find((known) => known === upper || known === `SIG${upper}`);
    if (name) return name satisfies SignalName;
    const near = mostSimilar(upper.startsWith('SIG') ? upper : `SIG${upper}`, SIGNALS);
    const hint = near ? `did you mean "${near}"?` : `known: ${SIGNALS.join(', ')}`;
    addIssue({ message: say('{value} is not a known signal', hint) });
    return NEVER;
  }),
);

export const oneOf = <const W extends readonly string[]>(words: W, otherwise?: string) =>
  v.picklist(words, sayOneOf(words, otherwise));

/** Text is split on blanks; quotes are refused because they would not do what they do in a shell. */
export const words = v.pipe(
  v.union(
    [v.string(), v.array(v.string(say('{value} is not text', 'quote it')))],
    say('{value} is neither text nor a list of texts', "write {key}: ['--flag', 'value']"),
  ),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    if (Array.isArray(dataset.value)) return dataset.value;
    if (!/["'`]/.test(dataset.value)) return dataset.value.split(/\s+/).filter(Boolean);
    addIssue({
      message: say(
        '{value} has quotes, but is split on blanks',
        "write a list: {key}: ['--title', 'two words']",
      ),
    });
    return NEVER;
  }),
);

const commandMessage = say('{value} is not a command', 'write {key}: node server.js, or a list of words');

export const command = v.union(
  [
    v.pipe(
      v.string(),
      v.check((line) => line.trim() !== '', commandMessage),
    ),
    v.pipe(v.array(v.string(say('{value} is not text', 'quote it'))), v.minLength(1, commandMessage)),
  ],
  commandMessage,
);

export const account = v.pipe(
  v.union(
    [v.pipe(v.string(), v.nonEmpty()), v.pipe(v.number(), v.integer(), v.minValue(0))],
    say('{value} is neither a name nor a number', 'write {key}: www-data'),
  ),
  v.transform(String),
);
