// npm run campaign:documents -- [--documents N] [--kills N] [--seed S] [--json]; see docs/documents.md.
import { parseArgs } from 'node:util'
import { runDocumentsCampaign } from './documents-campaign.ts'

const { values } = parseArgs({
  options: {
    documents: { type: 'string', default: '500' },
    kills: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const number = (name: 'documents' | 'kills' | 'seed', min: number, max: number) => {
  const value = Number(values[name])
  if (Number.isInteger(value) && value >= min && value <= max) return value
  console.error(`--${name} takes a whole number from ${min} to ${max}, not ${values[name]}.`)
  process.exit(2)
}
const options = {
  documents: number('documents', 1, 10_000),
  kills: number('kills', 0, 1_000),
  seed: number('seed', 0, 999_999_999),
}
const report = await runDocumentsCampaign(options, (message) => {
  if (!values.json) console.log(message)
})
console.log(JSON.stringify(report, undefined, values.json ? undefined : 2))
process.exitCode = report.findings.length > 0 ? 1 : 0
