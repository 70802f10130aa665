// npm run bench -- models: an ONNX endpoint with batching against the same one by one, and what it does at 80 % of its load.
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { convolutional, convolutionalManifest, deepDense, denseManifest, seeded } from '@headrace/inference/testing'
import sharp from 'sharp'
import { aboutMachine, benchFolder } from '../machine/about.ts'
import { UsageError } from '../options.ts'
import { asker, type Load, load, throughput } from './ask.ts'

const CALLERS = 64
const DEADLINE_MS = 250
/** Of the throughput: as many callers as there are wait as long as they wait. */
const PATIENT_MS = 30_000
const LIMITS = { maxBatch: 32, maxDelayMs: 2, queueMax: 1_024 }
/** The same model with these runs each request by itself. */
const ONE_BY_ONE = { ...LIMITS, maxBatch: 1, maxDelayMs: 0 }
const COLUMNS = 64
const SIDE = 64

export type ModelFigures = {
  readonly model: string
  readonly oneByOnePerSecond: number
  readonly batchedPerSecond: number
  readonly timesAsMany: number
  /** Of the batched version during its throughput runs. */
  readonly rowsPerRun: number
  readonly deadlineMs: number
  /** At 80 % of the batched version's throughput. */
  readonly at80Percent: Load
}

export type ModelsBench = {
  readonly bench: 'models'
  readonly callers: number
  readonly models: readonly ModelFigures[]
  readonly machine: ReturnType<typeof aboutMachine>
}

type Case = {
  readonly model: string
  readonly file: Buffer
  readonly manifest: object
  readonly name: string
  readonly type: string
  /** And what the URL says behind it. */
  readonly ask: (deadlineMs: number) => { readonly body: Buffer; readonly query: string }
}

export type ModelsOptions = { readonly seconds: number; readonly runs: number; readonly json: boolean }

const USAGE = `npm run bench -- models [options]

  --seconds N    of each run (5)
  --runs N       of each version, by turns; the median is given (3)
  --json         one JSON object on stdout`

/** Undefined unless it is the models that are to be measured. @throws {UsageError} */
export function parseModelsOptions(args: readonly string[]): ModelsOptions | undefined {
  if (args[0] !== 'models') return undefined
  try {
    const { values } = parseArgs({
      args: args.slice(1),
      options: {
        seconds: { type: 'string', default: '5' },
        runs: { type: 'string', default: '3' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    const [seconds, runs] = [Number(values.seconds), Number(values.runs)]
    const isSensible = seconds > 0 && seconds <= 600 && Number.isInteger(runs) && runs >= 1 && runs <= 100
    if (isSensible && !values.help) return { seconds, runs, json: values.json }
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`)
  }
  throw new UsageError(USAGE)
}

/** @param runs of each version, by turns; the median counts */
export async function benchModels({ seconds, runs }: Pick<ModelsOptions, 'seconds' | 'runs'>): Promise<ModelsBench> {
  const folder = benchFolder('models')
  const server = await startServer(folder)
  try {
    const models: ModelFigures[] = []
    for (const one of await cases()) models.push(await measure(one, server, { seconds, runs }))
    return { bench: 'models', callers: CALLERS, models, machine: aboutMachine() }
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function cases(): Promise<readonly Case[]> {
  const row = Array.from(seeded(COLUMNS, 3))
  const pixels = Buffer.from(seeded(SIDE * SIDE * 3, 5).map((value) => (value + 0.5) * 255))
  const png = await sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } })
    .png()
    .toBuffer()
  return [
    {
      model: `rows of ${COLUMNS} numbers as JSON, layers of 2,048 (17 MB of weights)`,
      name: 'dense',
      file: deepDense(COLUMNS, 2_048),
      manifest: denseManifest(COLUMNS),
      type: 'application/json',
      ask: (deadlineMs) => ({ body: Buffer.from(JSON.stringify({ inputs: { row: [row] }, deadlineMs })), query: '' }),
    },
    {
      model: `PNG pictures of ${SIDE} × ${SIDE}, two convolutions of 32 channels`,
      name: 'shapes',
      file: convolutional(32, SIDE),
      manifest: convolutionalManifest(SIDE),
      type: 'image/png',
      ask: (deadlineMs) => ({ body: png, query: `?deadlineMs=${deadlineMs}` }),
    },
  ]
}

type Server = { readonly url: string; readonly key: string; stop(): Promise<void> }

async function measure(
  one: Case,
  server: Server,
  { seconds, runs }: { seconds: number; runs: number },
): Promise<ModelFigures> {
  await deploy(one, server, 'one-by-one', ONE_BY_ONE)
  await deploy(one, server, 'batched', LIMITS)
  const of = (version: string, deadlineMs: number) => {
    const { body, query } = one.ask(deadlineMs)
    return asker({ ...server, type: one.type, body, path: `/models/${one.name}/versions/${version}/predict${query}` })
  }
  const [alone, batched, hurried] = [
    of('one-by-one', PATIENT_MS),
    of('batched', PATIENT_MS),
    of('batched', DEADLINE_MS),
  ]
  try {
    const perSecond: { alone: number[]; batched: number[] } = { alone: [], batched: [] }
    for (const { ask } of [alone, batched]) await throughput(ask, { callers: 4, seconds: 0.5 }) // warm
    for (let run = 0; run < runs; run++) {
      perSecond.alone.push(await throughput(alone.ask, { callers: CALLERS, seconds }))
      perSecond.batched.push(await throughput(batched.ask, { callers: CALLERS, seconds }))
    }
    const rowsPerRun = await rowsPerRunOf(one, server)
    const [oneByOne, together] = [median(perSecond.alone), median(perSecond.batched)]
    await load(hurried.ask, { perSecond: together * 0.4, seconds: Math.min(1, seconds) }) // connections are opened
    return {
      model: one.model,
      oneByOnePerSecond: Math.round(oneByOne),
      batchedPerSecond: Math.round(together),
      timesAsMany: Math.round((together / oneByOne) * 10) / 10,
      rowsPerRun,
      deadlineMs: DEADLINE_MS,
      at80Percent: await load(hurried.ask, { perSecond: together * 0.8, seconds: seconds * 2 }),
    }
  } finally {
    for (const { close } of [alone, batched, hurried]) close()
  }
}

async function deploy(one: Case, { url, key }: Server, version: string, limits: object): Promise<void> {
  const form = new FormData()
  form.append('manifest', JSON.stringify({ ...one.manifest, name: one.name, version, limits }))
  form.append('model', new Blob([one.file as Uint8Array<ArrayBuffer>]), 'model.onnx')
  const answer = await fetch(`${url}/models`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: form,
  })
  if (answer.status !== 201) throw new Error(`The model was not deployed: ${await answer.text()}`)
}

async function rowsPerRunOf({ name }: Case, { url, key }: Server): Promise<number> {
  const answer = await fetch(`${url}/models/${name}/versions/batched`, { headers: { authorization: `Bearer ${key}` } })
  const { figures } = (await answer.json()) as { figures: { batchRowsMean: number } } // sound: as @headrace/wire has it
  return Math.round(figures.batchRowsMean * 10) / 10
}

async function startServer(folder: string): Promise<Server> {
  const script = join(import.meta.dirname, 'serve-models.ts')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  for await (const line of createInterface({ input: child.stdout })) {
    const { url, key } = JSON.parse(line) as { url: string; key: string } // sound: as serve-models.ts writes it
    return {
      url,
      key,
      async stop() {
        child.kill('SIGKILL')
        await exited
      },
    }
  }
  throw new Error('The server of the bench ended before it listened.')
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

export function printModels({ models, machine, callers }: ModelsBench): void {
  console.log(`models: ${callers} callers at once; ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}\n`)
  for (const { model, at80Percent: at80, ...figures } of models) {
    console.log(`  ${model}`)
    console.log(
      `    one by one ${figures.oneByOnePerSecond}/s, batched ${figures.batchedPerSecond}/s: ${figures.timesAsMany} times as many; ${figures.rowsPerRun} rows in a run`,
    )
    console.log(
      `    at ${at80.offeredPerSecond}/s: p50 ${at80.p50Ms} ms, p99 ${at80.p99Ms} ms, deadline ${figures.deadlineMs} ms, ${at80.turnedAway} of ${at80.sent} turned away`,
    )
  }
}
