// small-disk.ts — a file system of its own for a test: one that can be filled, or that takes no writes.
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";

export type SmallDisk = {
  readonly fill: () => void;
  readonly free: () => void;
  readonly unmount: () => void;
};

/** Undefined where this user may not mount. `options`: what tmpfs is given, such as size=32m. */
export function mountSmallDisk(folder: string, options: string): SmallDisk | undefined {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  const filler = join(folder, "filler");
  return {
    fill: () => {
      const { bavail, bsize } = statfsSync(folder);
      try {
        appendFileSync(filler, Buffer.alloc(bavail * bsize));
      } catch {
        // somebody was quicker, and it is full all the same
      }
    },
    free: () => rmSync(filler, { force: true }),
    unmount: () => void execFileSync("umount", ["-l", folder]),
  };
}
export const NO_MOUNT = "this user may not mount a tmpfs";
