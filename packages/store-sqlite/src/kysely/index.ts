export { nodeSqliteDialect } from './node-sqlite-dialect.ts'
