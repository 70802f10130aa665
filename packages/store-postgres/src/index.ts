export { type DiagnoseOptions, diagnosePostgres } from './diagnose/diagnose.ts'
export type { Diagnosis } from './diagnose/diagnosis.ts'
export { openPostgresStore, type PostgresStoreOptions } from './postgres-store.ts'
