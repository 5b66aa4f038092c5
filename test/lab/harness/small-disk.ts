// A small real file system in a host, to run full, or to have what others have not: of xfs, files that share their blocks. Its image lies outside; the host gets the loop device's node, because a
// container has none of its own. The device frees itself when the last mount of it is gone, a power-off included.
import { existsSync } from "node:fs";
import { mustRun, type RunOptions } from "./run.ts";

export interface SmallDiskSpec {
  readonly path: string;
  readonly sizeMb: number;
  readonly type: "ext4" | "xfs";
  readonly exec: (argv: readonly string[], options?: RunOptions) => Promise<string>;
}

const LOOP_MAJOR = 7;
const FILLER = ".filler";

// A refused large write leaves some blocks free; the small ones take these too.
const FILL =
  'for size in 64k 1k 1k; do dd if=/dev/zero bs=$size oflag=append conv=notrunc of="$1"; sync "$1"; done 2>/dev/null; test -s "$1"';

export class SmallDisk {
  readonly #image: string;
  readonly #spec: SmallDiskSpec;

  constructor(image: string, spec: SmallDiskSpec) {
    this.#image = image;
    this.#spec = spec;
  }

  /** Mounts it, made new the first time; again after each boot of the host. */
  async mount(): Promise<void> {
    if (!existsSync(this.#image)) {
      await mustRun(["truncate", `--size=${this.#spec.sizeMb}M`, this.#image]);
      const words = { ext4: ["-q", "-m", "0"], xfs: ["-q", "-m", "reflink=1"] }[this.#spec.type];
      await mustRun([`mkfs.${this.#spec.type}`, ...words, this.#image]);
    }
    const device = (await mustRun(["losetup", "--find", "--show", this.#image])).trim();
    try {
      const minor = device.replace("/dev/loop", "");
      const { exec, path, type } = this.#spec;
      await exec(["mkdir", "-p", path]);
      await exec([
        "sh",
        "-ec",
        'test -b "$1" || mknod "$1" b "$2" "$3"',
        "node",
        device,
        String(LOOP_MAJOR),
        minor,
      ]);
      await exec(["mount", "-t", type, device, path]);
      if (type === "ext4") await exec(["rmdir", "--ignore-fail-on-non-empty", `${path}/lost+found`]);
    } finally {
      await mustRun(["losetup", "--detach", device]); // while mounted, this only arms the self-release
    }
  }

  /** Writes until the kernel says that it is full, then gives `leaveKb` back. */
  async fill(leaveKb = 0): Promise<void> {
    const file = `${this.#spec.path}/${FILLER}`;
    await this.#spec.exec(["sh", "-c", FILL, "fill", file]);
    if (leaveKb > 0) await this.#spec.exec(["truncate", `--size=-${leaveKb}K`, file]);
  }

  /** Gives all of it back. */
  async empty(): Promise<void> {
    await this.#spec.exec(["rm", "-f", `${this.#spec.path}/${FILLER}`]);
  }

  async unmount(): Promise<void> {
    await this.#spec.exec(["umount", this.#spec.path]);
  }
}
