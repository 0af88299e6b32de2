/** Puts a function of ours in the place of one of Node's; who looks at it sees the same name, length and attributes. */
export function replaceMethod<T extends object, K extends keyof T>(
  target: T,
  name: K,
  wrap: (original: T[K]) => T[K],
): void {
  const descriptor = Object.getOwnPropertyDescriptor(target, name);
  const original = target[name];
  const value = wrap(original);
  for (const trait of ['name', 'length']) {
    const its = Object.getOwnPropertyDescriptor(original, trait);
    if (its) Object.defineProperty(value, trait, its);
  }
  Object.defineProperty(target, name, Object.assign({}, descriptor, { value }));
}
