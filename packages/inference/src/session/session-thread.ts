// The thread of one loaded model: looks through the file, loads it, and runs one batch after another.
import { strict as assert } from 'node:assert'
import { parentPort, workerData } from 'node:worker_threads'
import type { InferenceSession, OnnxValue, Tensor as OrtTensor } from 'onnxruntime-node'
import type { RunPoint } from '../batch/run-times.ts'
import { ModelError, type ModelErrorCode } from '../errors.ts'
import { isBatched, type ModelManifest } from '../manifest/manifest.ts'
import { checkModel } from '../onnx/check-model.ts'
import { readOnnx } from '../onnx/read-onnx.ts'
import { ARRAYS, isDtype, sizeOf, type Tensor, type TensorData, type Tensors } from '../tensor/tensor.ts'
import type { FromSession, PlainError, RunRequest, SessionSetup, ToSession } from './messages.ts'

type Runtime = typeof import('onnxruntime-node')

assert(parentPort, 'session-thread.ts runs only as a thread')
const port = parentPort
const { path, manifest } = workerData as SessionSetup // sound: only session.ts starts this file
const running = new Set<Promise<void>>()

const SHORT_RUN_MS = 0.3
/** Of each size: the system counts a thread's time by ticks of up to 4 ms. */
const TRY_MS = 30
const TRY_WALL_MS_MAX = 300
/** All sizes together take hardly more. */
const TRIES_MS_MAX = 1_500
/** Of the input of one run. */
const TRY_BYTES_MAX = 64_000_000

try {
  checkModel(readOnnx(path), manifest)
  const runtime = await loadRuntime()
  const session = await createSession(runtime)
  const curve = await warmUp(runtime, session)
  port.on('message', (message: ToSession) => void take(runtime, session, message))
  post({ type: 'ready', curve })
} catch (error) {
  post({ type: 'refused', error: plain(error, 'model_load_failed') })
}

async function take(runtime: Runtime, session: InferenceSession, message: ToSession): Promise<void> {
  if (message.type === 'close') {
    // To release a session under a run would crash the process.
    await Promise.all(running)
    await session.release()
    post({ type: 'closed' })
    port.close()
    return
  }
  const answered = answer(runtime, session, message)
  running.add(answered)
  await answered
  running.delete(answered)
}

async function answer(runtime: Runtime, session: InferenceSession, { number, inputs }: RunRequest): Promise<void> {
  try {
    const outputs = await run(runtime, session, inputs)
    post({ type: 'ran', number, outputs }, buffersOf(outputs))
  } catch (error) {
    post({ type: 'threw', number, error: plain(error, 'model_run_failed') })
  }
}

async function loadRuntime(): Promise<Runtime> {
  try {
    const { default: runtime } = (await import('onnxruntime-node')) as unknown as { default: Runtime } // sound: it is CommonJS
    return runtime
  } catch (cause) {
    const machine = `${process.platform} ${process.arch}`
    throw new ModelError(
      'model_runtime_missing',
      `ONNX Runtime cannot be loaded on ${machine}: ${(cause as Error).message}. It comes with npm ci for Linux and Windows on x64 and ` +
        'arm64, and macOS on arm64.',
      { cause },
    )
  }
}

async function createSession({ InferenceSession }: Runtime): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(path, {
      intraOpNumThreads: manifest.limits.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // Of errors the caller is told; nothing goes to stderr by itself.
      logSeverityLevel: 4,
      // Threads that wait for work in a loop would take the cores that the other models and jobs need.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    })
  } catch (cause) {
    throw new ModelError(
      'model_load_failed',
      `ONNX Runtime cannot load the model: ${oneLine(cause)}. Export it again.`,
      { cause },
    )
  }
}

/**
 * Runs with zeros: the model fails now rather than at the first user, who would also wait for it longest.
 * @returns how long runs take by their rows, of one row, two, four and so on as far as that is quick; nothing where a run is so
 *   short that handing it over costs more
 */
async function warmUp(runtime: Runtime, session: InferenceSession): Promise<readonly RunPoint[]> {
  // Some models refuse zeros where any input will do, such as one of open length: the first real run tells.
  if (hasOpenSides(manifest)) return []
  const first = zeros(1)
  await run(runtime, session, first)
  const startedAt = performance.now()
  await run(runtime, session, first)
  if (performance.now() - startedAt < SHORT_RUN_MS) return []
  const curve: RunPoint[] = []
  for (const rows of isBatched(manifest) ? sizesUpTo(manifest.limits.maxBatch) : [1]) {
    const inputs = zeros(rows)
    const sizeBytes = Object.values(inputs).reduce((sum, { data }) => sum + data.byteLength, 0)
    const soFarMs = performance.now() - startedAt
    const isSlow = soFarMs + 2 * (curve.at(-1)?.ms ?? 0) > TRIES_MS_MAX
    if (rows > 1 && (isSlow || sizeBytes > TRY_BYTES_MAX)) break
    curve.push({ rows, ms: await meanMs(() => run(runtime, session, inputs)) })
  }
  return curve
}

/** Of as many runs as the clock needs to tell. */
async function meanMs(work: () => Promise<unknown>): Promise<number> {
  const [startedAt, spentAtStart] = [performance.now(), spentMs()]
  for (let runs = 1; ; runs++) {
    await work()
    const ms = spentMs() - spentAtStart
    if (ms >= TRY_MS || performance.now() - startedAt >= TRY_WALL_MS_MAX) return ms / runs
  }
}

/** Of the processor where this thread does all of a run, for what others do on the machine meanwhile is no matter of the model's. */
function spentMs(): number {
  if (manifest.limits.threads > 1) return performance.now()
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

function sizesUpTo(maxBatch: number): readonly number[] {
  const powers = Array.from({ length: Math.ceil(Math.log2(maxBatch)) }, (_, power) => 2 ** power)
  return [...powers, maxBatch]
}

function zeros(batch: number): Tensors {
  return Object.fromEntries(
    manifest.inputs.map(({ name, dtype, shape }) => {
      const dims = shape.map((dim) => (typeof dim === 'number' ? dim : batch))
      return [name, { dtype, dims, data: new ARRAYS[dtype](sizeOf(dims)) }]
    }),
  )
}

function hasOpenSides({ inputs }: ModelManifest): boolean {
  return inputs.some(({ shape }) =>
    shape.some((dim, axis) => typeof dim === 'string' && !(axis === 0 && dim === 'batch')),
  )
}

async function run(runtime: Runtime, session: InferenceSession, inputs: Tensors): Promise<Tensors> {
  const feeds = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, toOrt(runtime, tensor)]))
  const results = await session.run(
    feeds,
    manifest.outputs.map(({ name }) => name),
  )
  const rows = isBatched(manifest) ? Object.values(inputs)[0]?.dims[0] : undefined
  return Object.fromEntries(manifest.outputs.map(({ name }) => [name, fromOrt(name, results[name], rows)]))
}

function toOrt({ Tensor }: Runtime, { dtype, dims, data }: Tensor): OrtTensor {
  return new Tensor(dtype as 'float32', data as Float32Array, dims) // sound: the array is the dtype's
}

/** @param rows that each output must have, too, or the rows of different requests could not be told apart */
function fromOrt(name: string, value: OnnxValue | undefined, rows: number | undefined): Tensor {
  const tensor = value as OrtTensor | undefined // sound: the output's type was checked to be a tensor
  if (tensor === undefined || !isDtype(tensor.type))
    throw new ModelError(
      'model_run_failed',
      `The model gave ${tensor?.type ?? 'nothing'} as its output "${name}", which is not taken here.`,
    )
  if (rows !== undefined && tensor.dims[0] !== rows)
    throw new ModelError(
      'model_signature_mismatch',
      `The model gave its output "${name}" the shape [${tensor.dims.join(', ')}] for ${rows} rows, so the rows cannot be told apart. Give the ` +
        'input a shape with a number instead of "batch", or correct the model.',
    )
  return { dtype: tensor.type, dims: tensor.dims, data: tensor.data as TensorData } // sound: the array is the dtype's
}

function buffersOf(tensors: Tensors): ArrayBuffer[] {
  const buffers = Object.values(tensors).map(({ data }) => data.buffer as ArrayBuffer) // sound: made by the runtime, not shared
  return [...new Set(buffers)]
}

function plain(error: unknown, code: ModelErrorCode): PlainError {
  if (error instanceof ModelError) return { code: error.code, message: error.message }
  return { code, message: `The model failed: ${oneLine(error)}.` }
}

/** Without the runtime's own source paths, which it puts before its words. */
function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text
    .replace(/\/onnxruntime_src\/\S+:\d+ [^[]*/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\.$/, '')
    .slice(0, 500)
}

function post(message: FromSession, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}
