/**
 * A disk that a test can fill: a file system in memory, mounted where the test wants it. That takes Linux and root; where
 * there is neither, `describe.skipIf(whyNoDisk)` skips, and the reason is printed.
 *
 * ```ts
 * const disk = mountDisk(folder, 1_000_000);
 * await disk.fill();              // no byte more
 * await disk.fill(100_000);       // so much is left, to the page
 * await disk.empty();             // room again
 * disk.close(); disk.open();      // read-only, and back
 * disk.resize(200_000_000);       // without a loss
 * disk.unmount();                 // in afterAll; the end of the process does it, too
 * ```
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync } from "node:fs";
import { open, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type SmallDisk = {
  /** Takes all room but so many bytes. */
  fill(left?: number): Promise<void>;
  /** Gives back what `fill` took. */
  empty(): Promise<void>;
  /** Takes no writes any more: EROFS. */
  close(): void;
  open(): void;
  resize(bytes: number): void;
  unmount(): void;
};

/** Undefined where a disk can be mounted. */
export const whyNoDisk: string | undefined = findObstacle();
if (whyNoDisk) console.warn(`Tests on a small disk are skipped: ${whyNoDisk}`);

export function mountDisk(folder: string, bytes: number, owner = process.getuid?.() ?? 0): SmallDisk {
  mkdirSync(folder, { recursive: true });
  mount(folder, `size=${bytes},mode=755,uid=${owner}`);
  let isMounted = true;
  const unmount = () => {
    if (!isMounted) return;
    isMounted = false;
    process.off("exit", unmount);
    // Also while somebody has a file open there.
    execFileSync("umount", ["--lazy", folder]);
  };
  process.on("exit", unmount);
  const ballast = join(folder, "ballast");
  const remount = (how: string) => execFileSync("mount", ["-o", `remount,${how}`, folder]);
  return {
    async fill(left = 0) {
      const file = await open(ballast, "w");
      try {
        const { bavail, bsize } = await statfs(folder);
        await writeUntilFull(file, bavail * bsize - left);
      } finally {
        await file.close();
      }
    },
    empty: () => rm(ballast, { force: true }),
    close: () => remount("ro"),
    open: () => remount("rw"),
    resize: (bytes) => remount(`size=${bytes}`),
    unmount,
  };
}

async function writeUntilFull(file: Awaited<ReturnType<typeof open>>, bytes: number): Promise<void> {
  const piece = Buffer.alloc(65_536);
  for (let written = 0; written < bytes; ) {
    written += (await file.write(piece, 0, Math.min(piece.length, bytes - written))).bytesWritten;
  }
}

function mount(folder: string, options: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], { stdio: ["ignore", "pipe", "pipe"] });
}

function findObstacle(): string | undefined {
  if (process.platform !== "linux") return `a file system in memory is mounted on Linux, this is ${process.platform}.`;
  const folder = mkdtempSync(join(tmpdir(), "lectern-disk-"));
  try {
    mount(folder, "size=4096");
    execFileSync("umount", [folder]);
    return undefined;
  } catch (error) {
    return (error as Error).message.trim();
  } finally {
    rmdirSync(folder);
  }
}
