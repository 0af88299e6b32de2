/**
 * A disk whose power can be cut (root; a loop device): an ext4 in an image. `cut` shuts the file system down in the kernel as it is, with
 * neither its journal nor a page written any more (EXT4_IOC_SHUTDOWN, as the tests of the kernel's file systems do); mounted again, it
 * recovers what had reached the device.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../test/rig/index.js';

const BYTES = 512 * 1024 * 1024;
/** _IOR('X', 125, __u32) and EXT4_GOING_FLAGS_NOLOGFLUSH of the kernel's ext4.h; Node has no ioctl. */
const CUT = `
  open(my $folder, '<', $ARGV[0]) or die "$ARGV[0]: $!";
  my $how = pack('L', 2);
  ioctl($folder, 0x8004587d, $how) or die "ioctl: $!";
`;

export class Disk {
  readonly mountPoint: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'upkeep-disk-'));
  readonly #image = join(this.#folder, 'image');
  #isMounted = false;

  constructor(mountPoint: string) {
    this.mountPoint = mountPoint;
    writeFileSync(this.#image, '');
    truncateSync(this.#image, BYTES);
    execFileSync('mkfs.ext4', ['-q', this.#image]);
    mkdirSync(mountPoint, { recursive: true });
  }

  /** `options` of mount(8). */
  mount(options = 'defaults'): void {
    execFileSync('mount', ['-o', `loop,${options}`, this.#image, this.mountPoint]);
    this.#isMounted = true;
  }

  /** At once. */
  cut(): void {
    execFileSync('perl', ['-e', CUT, this.mountPoint]);
  }

  /** Where nobody uses it any more; the kernel may still be about to notice that. */
  async unmount(): Promise<void> {
    await until('it is unmounted', () => this.#tryUnmount());
  }

  /** Whoever still uses it. */
  remove(): void {
    if (this.#isMounted) execFileSync('umount', ['--lazy', this.mountPoint]);
    this.#isMounted = false;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #tryUnmount(): boolean {
    try {
      execFileSync('umount', [this.mountPoint], { stdio: 'pipe' });
    } catch (error) {
      if (/busy/.test(String(error))) return false;
      throw error;
    }
    this.#isMounted = false;
    return true;
  }
}
