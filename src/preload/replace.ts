/** Puts a function of ours in the place of one of Node's; who looks at it sees the same name, length and attributes. */
export function replaceMethod<T extends object, K extends keyof T>(
  target: T,
  name: K,
  wrap: (original: T[K]) => T[K],
): void {
  const descriptor = Object.getOwnPropertyDescriptor(target, name);
  const original = target[name];
  const value = wrap(original);
  imitate(original as object, value as object);
  Object.defineProperty(target, name, Object.assign({}, descriptor, { value }));
}

/** Answers `value`, called like the original. */
export function imitate<T extends object>(original: object, value: T): T {
  for (const trait of ['name', 'length']) {
    const its = Object.getOwnPropertyDescriptor(original, trait);
    if (its) Object.defineProperty(value, trait, its);
  }
  return value;
}
