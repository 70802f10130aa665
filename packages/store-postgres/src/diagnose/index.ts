export { type DiagnoseOptions, diagnosePostgres } from './diagnose.ts'
export type { Diagnosis } from './diagnosis.ts'
