// npm run campaign -- [options]; see docs/promises.md.
import { runCampaign } from './campaign.ts'
import { parseOptions, UsageError } from './options.ts'

try {
  const options = parseOptions(process.argv.slice(2))
  const report = await runCampaign(options, ({ seed, counts, findings }, number) => {
    if (options.json) return
    const { accepted, jobs, attempts, lapses } = counts
    const told = `${accepted} requests, ${jobs} jobs, ${attempts} attempts, ${lapses} lost`
    console.log(`round ${number} (${seed}): ${told}, ${findings.length} promises broken`)
  })
  if (options.json) console.log(JSON.stringify(report))
  else console.log(JSON.stringify(report, undefined, 2))
  process.exitCode = report.findings.length > 0 ? 1 : 0
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(error.message)
  process.exit(2)
}
