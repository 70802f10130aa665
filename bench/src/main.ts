// npm run bench -- NAME [options]; see docs/performance.md.
import { documentsText, parseDocumentsOptions, runDocumentsBench } from './documents/documents-bench.ts'
import { benchModels, parseModelsOptions, printModels } from './models/models-bench.ts'
import { type Options, parseOptions, parseReportOptions, UsageError } from './options.ts'
import { makeReport } from './report/report.ts'
import { type Report, type Row, runBench } from './run.ts'

try {
  const args = process.argv.slice(2)
  const documents = parseDocumentsOptions(args)
  const models = parseModelsOptions(args)
  const report = (documents ?? models) ? undefined : parseReportOptions(args)
  if (documents !== undefined) await benchDocuments(documents)
  else if (models !== undefined) {
    const measured = await benchModels(models)
    if (models.json) console.log(JSON.stringify(measured))
    else printModels(measured)
  } else if (report !== undefined) await makeReport(report)
  else await bench(parseOptions(args))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(error.message)
  process.exit(2)
}

async function benchDocuments({ runs, json }: { readonly runs: number; readonly json: boolean }): Promise<void> {
  const report = await runDocumentsBench({ runs })
  console.log(json ? JSON.stringify(report) : documentsText(report))
}

async function bench(options: Options): Promise<void> {
  const report = await runBench(options)
  if (options.json) console.log(JSON.stringify(oneObject(report)))
  else print(report)
}

/** Headrace's own figures stand at the top, where a script looks for them. */
function oneObject({ headrace, ...rest }: Report): object {
  const { figures, name: _, ...ours } = headrace
  const peers = rest.peers.map(({ figures, ...row }) => ({ ...row, ...figures }))
  return { ...rest, ...figures, ...ours, peers }
}

function print({ bench, what, headrace, peers, notMeasured, failed, machine }: Report): void {
  const { cpu, cores, system, node, fdatasyncMs } = machine
  console.log(`${bench}: ${what}\n${cpu}, ${cores} cores, ${system}, Node ${node}, fdatasync ${fdatasyncMs} ms\n`)
  printRow(headrace)
  for (const peer of peers) {
    printRow(peer)
    console.log(`    Headrace is ${peer.headraceIsTimesBetter} times as good.`)
  }
  for (const { name, why } of notMeasured) console.log(`  ${name} was not measured: ${why}`)
  for (const { name, error } of failed) console.log(`  ${name} failed: ${error}`)
}

function printRow({ name, versions, durability, figures, cpuSeconds, otherCpuShare }: Row): void {
  const list = (values: object) => Object.entries(values).map(([key, value]) => `${key} ${value}`)
  console.log(`  ${name}  ${list(figures).join(', ')}`)
  console.log(`    ${list(versions).join(', ')}; ${durability}`)
  if (cpuSeconds !== undefined)
    console.log(`    CPU seconds: ${list(cpuSeconds).join(', ')}; taken by others: ${(otherCpuShare ?? 0) * 100} %`)
}
