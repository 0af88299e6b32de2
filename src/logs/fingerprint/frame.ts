/** One line of a stack: which function of which file, and whether that is the application's own. */

export interface Frame {
  /** Without line, column and folder: what stays the same from release to release. */
  readonly name: string;
  /** `db.js:10` */
  readonly place: string;
  /** Not of the runtime, and not of a dependency. */
  readonly isOwn: boolean;
}

const NODE_OWN_FILE =
  /^(?:node:|internal\/|\[|native$|<|wasm:|(?:_?[a-z_0-9]+|bootstrap_node)\.js$)|[\\/](?:node_modules|\.pnpm|\.yarn)[\\/]/;
const NODE_FRAME =
  /^\s+at (?:(?:async )?(.+?) \()?(?:async )?((?:file:\/\/)?[^()]*?):(\d+)(?::\d+)?\)?,?(?: \{)?$/;
const EVAL_FRAME = /\(eval at .*?\(([^()]+?):(\d+):\d+\).*$/;
const JAVA_FRAME =
  /^\s+at (?:[^\s(/]*\/(?:[^\s(/]*\/)?)?([\w$.<>]+)\(([^()\s]*\.\w+(?::\d+)?|Native Method|Unknown Source|<generated>)\)/;
const JAVA_NOT_OWN =
  /^(?:java|javax|jdk|sun|com\.sun|jakarta|kotlin|kotlinx|scala|groovy|org\.(?:springframework|apache|hibernate|eclipse|junit|jboss|slf4j|codehaus|gradle)|io\.(?:netty|undertow|micrometer|vertx|grpc)|reactor|ch\.qos|com\.(?:zaxxer|fasterxml|google\.common|mysql|oracle)|net\.sf)\./;
const DOTNET_FRAME = /^\s+at ([\w.<>`+]+(?:\[.*?\])?)\(.*?\)(?: in (.+):line (\d+))?$/;
const DOTNET_NOT_OWN = /^(?:System|Microsoft)\./;
const PYTHON_FRAME = /^\s*(?:\| +)*File "(.+)", line (\d+)(?:, in (.+))?$/;
const PYTHON_NOT_OWN =
  /[\\/](?:site-packages|dist-packages)[\\/]|[\\/]lib(?:64)?[\\/]python\d|^<(?!string>)|^<string>$/;
/** Of a build: `main.8f3a2b1c.js`, `chunk-K2X4AB.js`. */
const BUILD_HASH = /[.-](?=[\w]*\d)[\w]{6,}(?=\.\w+$)/;

export function nodeFrame(line: string): Frame | null {
  const text = EVAL_FRAME.test(line) ? line.replace(EVAL_FRAME, '($1:$2)') : line;
  const found = NODE_FRAME.exec(text);
  if (!found) return null;
  const [, called = '', file = '', lineNumber = ''] = found;
  return {
    name: `${bareFunction(called)} ${stableFile(file)}`,
    place: `${baseOf(file)}:${lineNumber}`,
    isOwn: !NODE_OWN_FILE.test(file),
  };
}

export function javaFrame(line: string): Frame | null {
  const found = JAVA_FRAME.exec(line);
  if (!found) return null;
  const [, method = '', place = ''] = found;
  // Numbers of lambdas and generated classes change with every build.
  const name = method.replace(/\$\$?\d[\w$]*|\$\$[\w$]+|lambda\$(\w+)\$\d+/g, '$1');
  return { name, place, isOwn: !JAVA_NOT_OWN.test(method) };
}

export function dotnetFrame(line: string): Frame | null {
  const found = DOTNET_FRAME.exec(line);
  if (!found) return null;
  const [, method = '', file = '', lineNumber = ''] = found;
  const place = file ? `${baseOf(file)}:${lineNumber}` : method;
  return { name: method, place, isOwn: !DOTNET_NOT_OWN.test(method) };
}

export function pythonFrame(line: string): Frame | null {
  const found = PYTHON_FRAME.exec(line);
  if (!found) return null;
  const [, file = '', lineNumber = '', called = '<module>'] = found;
  return {
    name: `${called} ${stableFile(file)}`,
    place: `${baseOf(file)}:${lineNumber}`,
    isOwn: !PYTHON_NOT_OWN.test(file),
  };
}

/** `Object.<anonymous>`, `new Pool`, `Server.listen [as _listen2]`: without what differs between versions of Node. */
function bareFunction(called: string): string {
  return called
    .replace(/ \[as .*\]$/, '')
    .replace(/^(?:async|new) /, '')
    .replace(/^(?:Object|Function|Module|process)\.(?!<)/, '');
}

export function stableFile(path: string): string {
  return baseOf(path).replace(BUILD_HASH, '');
}

export function baseOf(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1).replace(/\?.*$/, '');
}
