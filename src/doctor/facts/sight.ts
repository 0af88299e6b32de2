/** What may be looked at, and what not: without privilege there is less, and that is said. */
import { readdirSync, readFileSync, readlinkSync, statSync, type Stats } from 'node:fs';

export class Sight {
  /** Words for what was refused. */
  readonly unseen = new Set<string>();

  /** undefined: there is nothing, or it is refused, which is noted as `what`. */
  look<T>(what: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EACCES' || code === 'EPERM') this.unseen.add(what);
      return undefined;
    }
  }

  text(path: string, what = path): string | undefined {
    return this.look(what, () => readFileSync(path, 'utf8'));
  }

  link(path: string, what = path): string | undefined {
    return this.look(what, () => readlinkSync(path));
  }

  stats(path: string, what = path): Stats | undefined {
    return this.look(what, () => statSync(path));
  }

  names(folder: string, what = folder): string[] {
    return this.look(what, () => readdirSync(folder)) ?? [];
  }
}
