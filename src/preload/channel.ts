/** Words to upkeep, and the folder in which upkeep finds the sockets of this process. */
import { attempt } from './attempt.js';
import { Descriptor } from './descriptor.js';
import type { ChannelSpec } from './environment.js';
import { fs } from './node.js';

const MAX_LINE = 400;
const { writeSync } = fs;

export class Channel {
  readonly up: Descriptor;
  readonly folder: Descriptor;

  private constructor(up: Descriptor, folder: Descriptor) {
    this.up = up;
    this.folder = folder;
  }

  /** Null where the descriptors did not make it here. The folder is the proof: Node itself opens pipes, too. */
  static open({ up, folder }: ChannelSpec): Channel | null {
    const pipe = Descriptor.of(up, (stats) => stats.isFIFO());
    const directory = Descriptor.of(folder, (stats) => stats.isDirectory());
    return pipe && directory && new Channel(pipe, directory);
  }

  say(...words: (string | number)[]): void {
    attempt(() => {
      if (this.up.isIntact) writeSync(this.up.fd, `${words.join(' ').slice(0, MAX_LINE)}\n`);
    });
  }

  /** Short enough for a socket's address, wherever the home of upkeep is. */
  pathOf(name: string): string | null {
    return this.folder.isIntact ? `/proc/self/fd/${this.folder.fd}/${name}` : null;
  }
}
