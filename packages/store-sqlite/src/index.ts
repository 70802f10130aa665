export type { Liveness, ProcessRow } from './process-registry.ts'
export { openSqliteStore, type SqliteStoreOptions } from './sqlite-store.ts'
export { systemClock } from './system-clock.ts'
