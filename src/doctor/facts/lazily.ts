/** An object whose fields are read when they are first asked for, and only once. */
export function lazily<T extends object>(readers: { readonly [K in keyof T]-?: () => T[K] }): T {
  const object = {} as T;
  for (const key of Object.keys(readers) as (keyof T)[]) {
    const get = (): T[typeof key] => {
      const value = readers[key]();
      Object.defineProperty(object, key, { value, enumerable: true });
      return value;
    };
    Object.defineProperty(object, key, { get, enumerable: true, configurable: true });
  }
  return object;
}

/** The same for a function of one text. */
export function remembering<T>(read: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    if (!known.has(key)) known.set(key, read(key));
    return known.get(key)!;
  };
}
