// What the crash tests kill.
import { runCrashProcess } from '@headrace/engine/testing/crash-process'
import { openSqliteStore } from '../sqlite-store.ts'

await runCrashProcess(openSqliteStore)
