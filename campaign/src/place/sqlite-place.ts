import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Place, PlaceHarm } from './place.ts'
import { SmallDisk } from './small-disk.ts'

const DISK_MB = 128

/** A file of its own, on a disk that can be filled up where this process may mount one. */
export class SqlitePlace implements Place {
  readonly store: string
  readonly harms: readonly PlaceHarm[]
  readonly skipped: readonly string[]
  readonly #folder: string
  readonly #disk: SmallDisk | undefined

  constructor(folder: string) {
    this.#folder = join(folder, 'disk')
    this.#disk = SmallDisk.mount(this.#folder, DISK_MB)
    mkdirSync(this.#folder, { recursive: true })
    this.store = join(this.#folder, 'campaign.db')
    this.harms = this.#disk === undefined ? [] : [this.#disk.harm]
    this.skipped = this.#disk === undefined ? ['disk full: a small disk may only be mounted by root'] : []
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disk?.[Symbol.dispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
