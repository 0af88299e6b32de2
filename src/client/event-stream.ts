/** Takes the JSON values out of a `text/event-stream`; comments, which keep a connection alive, are passed over. */
const DATA = 'data: ';
const FAILURE = 'event: error\ndata: ';

/** `toError`: what to throw where the stream ends with a failure, or with something that is no value. */
export async function* readEventStream(
  body: AsyncIterable<Buffer>,
  toError: (text: string) => Error,
): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let text = '';
  /** Cut off by what went wrong, which is said next. */
  let broken: string | undefined;
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      if (block.startsWith(FAILURE)) throw toError(block.slice(FAILURE.length));
      if (broken !== undefined || !block.startsWith(DATA)) continue;
      const value = parse(block.slice(DATA.length));
      if (value === undefined) broken = block.slice(DATA.length);
      else yield value;
    }
  }
  if (broken !== undefined) throw toError(broken);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a value of JSON is never undefined
  }
}
