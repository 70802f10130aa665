import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { atExit } from './at-exit.ts'
import type { PlaceHarm } from './place.ts'

const BLOCK = Buffer.alloc(1 << 20)

/** A file system in memory that holds little, so that it can be filled up. */
export class SmallDisk implements Disposable {
  readonly folder: string
  readonly #leaving = atExit(() => this.#unmount())

  private constructor(folder: string) {
    this.folder = folder
  }

  /** Undefined where this process may not mount one. */
  static mount(folder: string, sizeMb: number): SmallDisk | undefined {
    if (process.getuid?.() !== 0) return undefined
    mkdirSync(folder, { recursive: true })
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tmpfs', folder], { stdio: 'ignore' })
      return new SmallDisk(folder)
    } catch {
      // A container may be refused it even as root.
      return undefined
    }
  }

  get harm(): PlaceHarm {
    return { name: 'disk full', inflict: (forMs) => this.#fill(forMs) }
  }

  async #fill(forMs: number): Promise<void> {
    const ballast = join(this.folder, 'ballast')
    const file = openSync(ballast, 'w')
    try {
      for (;;) writeSync(file, BLOCK)
    } catch {
      // It is full, which is what was wanted.
    } finally {
      closeSync(file)
    }
    await sleep(forMs)
    rmSync(ballast)
  }

  [Symbol.dispose](): void {
    this.#leaving[Symbol.dispose]()
    this.#unmount()
    rmSync(this.folder, { recursive: true, force: true })
  }

  #unmount(): void {
    // Lazily, for a process that was killed a moment ago may still be on its way out.
    execFileSync('umount', ['-l', this.folder], { stdio: 'ignore' })
  }
}
