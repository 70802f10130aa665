// npm run simulate -- [options]; see docs/promises.md.
import { UsageError } from '../options.ts'
import { parseSimulateOptions } from './options.ts'
import { simulateSeeds } from './simulate-seeds.ts'

const TOLD_EVERY_MS = 5_000

try {
  const options = parseSimulateOptions(process.argv.slice(2))
  let toldAt = performance.now()
  const report = await simulateSeeds(options, {
    done: (seeds, failures) => {
      if (performance.now() - toldAt < TOLD_EVERY_MS) return
      toldAt = performance.now()
      console.error(`${seeds} seeds on ${options.store}, ${failures} of them broke a promise`)
    },
    failed: (description) => console.error(description),
  })
  console.log(JSON.stringify(report, undefined, options.json ? undefined : 2))
  process.exitCode = report.failures.length > 0 ? 1 : 0
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(error.message)
  process.exit(2)
}
