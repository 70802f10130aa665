import { artifactNamesIn, type Json, type Settings } from '@headrace/engine'
import { deleteNotes } from './artifact-names.ts'
import { statements } from './connection/named.ts'
import { call } from './connection/session.ts'
import type { Readers } from './readers.ts'
import type { Writer } from './writer.ts'

export class PostgresSettings implements Settings {
  readonly #readers: Readers
  readonly #writer: Writer

  constructor(readers: Readers, writer: Writer) {
    this.#readers = readers
    this.#writer = writer
  }

  async get(namespace: string, key: string): Promise<Json | undefined> {
    type Row = { readonly value: string }
    const [row] = await this.#readers.read((session) => session.run<Row>(statements.getSetting, [namespace, key]))
    return row === undefined ? undefined : (JSON.parse(row.value) as Json)
  }

  async put(namespace: string, key: string, value: Json): Promise<void> {
    const text = JSON.stringify(value)
    const put = call(statements.putSetting, namespace, key, text)
    await this.#writer.run((session) => session.pipeline([put, ...deleteNotes(artifactNamesIn(text))]))
  }

  async delete(namespace: string, key: string): Promise<boolean> {
    const rows = await this.#writer.run((session) => session.run(statements.deleteSetting, [namespace, key]))
    return rows.length > 0
  }

  async list(
    namespace: string,
    { prefix }: { readonly prefix?: string } = {},
  ): Promise<readonly { readonly key: string; readonly value: Json }[]> {
    type Row = { readonly key: string; readonly value: string }
    const rows = await this.#readers.read((session) =>
      prefix === undefined
        ? session.run<Row>(statements.listSettings, [namespace])
        : session.run<Row>(statements.listSettingsFrom, [namespace, prefix]),
    )
    return rows.map(({ key, value }) => ({ key, value: JSON.parse(value) as Json }))
  }
}
