import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { OpenSimulated, SimulatedProcess } from '@headrace/engine/testing'
import { openDatabase } from '../database.ts'
import { openSqliteStore } from '../sqlite-store.ts'

/** Fresh SQLite files, one for each simulation, in a folder that goes with this. */
export class SimulatedSqlite implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'headrace-simulation-'))
  #runs = 0

  /** The file of the simulation before it is deleted. */
  open(): OpenSimulated {
    this.#deleteFile()
    this.#runs++
    const path = this.#path
    copyFileSync(this.#template(), path)
    const byNumber = new Map<number, SimulatedProcess>()
    return async (process) => {
      const liveness = ({ id }: { id: number }) => livenessOf(byNumber.get(id))
      const store = await openSqliteStore(path, { clock: process.storeClock, fsync: false, liveness })
      byNumber.set(newestProcess(path), process)
      return store
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #path(): string {
    return join(this.#folder, `run-${this.#runs}.db`)
  }

  /** An empty store, made once: to make one takes longer than much of what a simulation does. */
  #template(): string {
    const path = join(this.#folder, 'template.db')
    if (!existsSync(path)) openDatabase(path).close()
    return path
  }

  #deleteFile(): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.#path + suffix, { force: true })
  }
}

function livenessOf(process: SimulatedProcess | undefined): 'alive' | 'dead' | 'unknown' {
  if (process === undefined || process.isUnreachable) return 'unknown'
  return process.isAlive ? 'alive' : 'dead'
}

function newestProcess(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true })
  const row = db.prepare('select max(id) as id from processes').get()
  db.close()
  return Number(row?.id)
}
