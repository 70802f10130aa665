// What the crash tests kill.
import { runCrashProcess } from '@headrace/engine/testing/crash-process'
import { openPostgresStore } from '../postgres-store.ts'

await runCrashProcess(openPostgresStore)
