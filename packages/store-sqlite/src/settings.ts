import { artifactNamesIn, type Json, type Settings } from '@headrace/engine'
import { deleteNotes } from './artifact-names.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Prepared } from './prepared.ts'

export class SqliteSettings implements Settings {
  readonly #sql: Prepared
  readonly #commits: GroupCommit

  constructor(sql: Prepared, commits: GroupCommit) {
    this.#sql = sql
    this.#commits = commits
  }

  async get(namespace: string, key: string): Promise<Json | undefined> {
    const row = this.#sql.get<{ value: string }>('getSetting', namespace, key)
    return row === undefined ? undefined : (JSON.parse(row.value) as Json)
  }

  async put(namespace: string, key: string, value: Json): Promise<void> {
    const text = JSON.stringify(value)
    await this.#commits.run('before-answer', () => {
      this.#sql.run('putSetting', namespace, key, text)
      deleteNotes(this.#sql, artifactNamesIn(text))
    })
  }

  async delete(namespace: string, key: string): Promise<boolean> {
    const { changes } = await this.#commits.run('before-answer', () => this.#sql.run('deleteSetting', namespace, key))
    return changes > 0
  }

  async list(
    namespace: string,
    { prefix }: { readonly prefix?: string } = {},
  ): Promise<readonly { readonly key: string; readonly value: Json }[]> {
    type Row = { readonly key: string; readonly value: string }
    const rows =
      prefix === undefined
        ? this.#sql.all<Row>('listSettings', namespace)
        : this.#sql.all<Row>('listSettingsFrom', namespace, prefix)
    return rows.map(({ key, value }) => ({ key, value: JSON.parse(value) as Json }))
  }
}
