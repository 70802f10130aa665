import type { Json, Settings } from '@headrace/engine'
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
    await this.#commits.run('before-answer', () => this.#sql.run('putSetting', namespace, key, JSON.stringify(value)))
  }

  async delete(namespace: string, key: string): Promise<boolean> {
    const { changes } = await this.#commits.run('before-answer', () => this.#sql.run('deleteSetting', namespace, key))
    return changes > 0
  }

  async list(namespace: string): Promise<readonly { readonly key: string; readonly value: Json }[]> {
    const rows = this.#sql.all<{ key: string; value: string }>('listSettings', namespace)
    return rows.map(({ key, value }) => ({ key, value: JSON.parse(value) as Json }))
  }
}
