import { availableParallelism } from 'node:os'
import { Batcher, type Unread } from '../batch/batcher.ts'
import { ModelError } from '../errors.ts'
import { type ImageInput, imageTensor } from '../image/image-tensor.ts'
import { Turns } from '../image/turns.ts'
import { isBatched, type ModelManifest } from '../manifest/manifest.ts'
import { outputRow, type ShapedOutput, shapeOutput } from '../output/shape-output.ts'
import { Session } from '../session/session.ts'
import { type TableInput, tableTensor } from '../table/table-tensor.ts'
import { tensorOfJson } from '../tensor/json-tensor.ts'
import { concat, rowsOf, type Tensors } from '../tensor/tensor.ts'
import { Figures, type FiguresNow } from './figures.ts'

/** What a model is asked: its inputs by name, rows of its table, or pictures. */
export type Question =
  | { readonly inputs: Readonly<Record<string, unknown>> }
  | { readonly rows: readonly unknown[] }
  | { readonly images: readonly Uint8Array[] }

export type AskOptions = {
  /** From now to the answer; the manifest's when left out. */
  readonly deadlineMs?: number | undefined
  /** Of classifications; the manifest's when left out. */
  readonly topK?: number | undefined
  /** It waits behind all that are not, and is never refused for a full queue: for jobs. */
  readonly isPatient?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** One row's outputs by name. */
export type Prediction = { readonly [output: string]: ShapedOutput }

export type Predictions = {
  readonly predictions: readonly Prediction[]
  readonly timing: {
    readonly queuedMs: number
    readonly runMs: number
    /** Rows in the run, those of other requests among them. */
    readonly batchRows: number
  }
}

/** Of one request, however many runs it takes. */
const ROWS_MAX = 4_096

/** Of pictures that are decoded in this process: more at once would only slow each other down. */
const decoding = new Turns(availableParallelism())

/** One version of a model, loaded. */
export class DeployedModel {
  readonly manifest: ModelManifest
  readonly loadedAt: Date
  readonly loadMs: number
  readonly #session: Session
  readonly #batcher: Batcher
  readonly #figures = new Figures()
  #isClosing = false

  private constructor(manifest: ModelManifest, session: Session, loadMs: number) {
    this.manifest = manifest
    this.loadedAt = new Date()
    this.loadMs = loadMs
    this.#session = session
    this.#batcher = new Batcher({
      run: (inputs) => session.run(inputs),
      limits: manifest.limits,
      isBatched: isBatched(manifest),
      figures: this.#figures,
      curve: session.curve,
    })
  }

  /**
   * Checks a model file against its manifest, loads it and runs it once.
   * @throws {ModelError} what is wrong, and what to do
   * @example await using model = await DeployedModel.load('digits.onnx', parseManifest(manifest))
   */
  static async load(path: string, manifest: ModelManifest): Promise<DeployedModel> {
    const startedAt = performance.now()
    const session = await Session.open(path, manifest)
    return new DeployedModel(manifest, session, Math.round(performance.now() - startedAt))
  }

  get isGone(): boolean {
    return this.#isClosing || this.#session.isGone
  }

  get isIdle(): boolean {
    return this.#batcher.isIdle
  }

  figures(): FiguresNow {
    return this.#figures.now()
  }

  /**
   * Answers for each row of the question, in its order.
   * @throws {ModelError} `model_input_invalid`, `model_image_invalid`, `model_overloaded`, `model_too_late`, `model_run_failed`
   */
  async ask(
    question: Question,
    { deadlineMs = this.manifest.limits.deadlineMs, topK, isPatient, signal }: AskOptions = {},
  ): Promise<Predictions> {
    const askedAt = performance.now()
    const pictures = 'images' in question ? question.images.length : 0
    const refuseHopeless = (unread: Omit<Unread, 'rows'>) => {
      const leftMs = deadlineMs - (performance.now() - askedAt)
      if (!isPatient) this.#batcher.refuseHopeless(leftMs, { rows: pictures, ...unread })
    }
    refuseHopeless({ readMs: decoding.expectedMs(pictures) })
    const beforeDecoding = () => refuseHopeless({ readMs: 0, isNext: true })
    const { inputs, rows } = await this.#readAnnounced(question, { pictures, beforeDecoding })
    if (this.#isClosing) throw unloaded(this.manifest)
    // Reading a picture is part of the time that the caller allows.
    const leftMs = Math.max(0, deadlineMs - (performance.now() - askedAt))
    const answers = await Promise.all(
      piecesOf(rows, this.#rowsAtOnce(rows)).map(([start, end]) =>
        this.#batcher.submit(
          rows === end - start ? inputs : mapTensors(inputs, (tensor) => rowsOf(tensor, start, end)),
          end - start,
          { deadlineMs: leftMs, isPatient, signal },
        ),
      ),
    )
    const first = answers[0]
    if (first === undefined) throw new Error('A question has at least one row.')
    return {
      predictions: answers.flatMap(({ outputs }, piece) => {
        const [start, end] = piecesOf(rows, this.#rowsAtOnce(rows))[piece] ?? [0, 0]
        return Array.from({ length: end - start }, (_, at) => this.#shape(outputs, at, topK))
      }),
      timing: {
        queuedMs: round(Math.max(...answers.map(({ queuedMs }) => queuedMs))),
        runMs: round(answers.reduce((sum, { runMs }) => sum + runMs, 0)),
        batchRows: first.batchRows,
      },
    }
  }

  /** Answers what it has taken on, takes no more, and gives its memory back. */
  async unload(): Promise<void> {
    this.#isClosing = true
    await this.#batcher.drained()
    await this.#session.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.unload()
  }

  /** A model without a batch dimension takes a question as it is. */
  #rowsAtOnce(rows: number): number {
    return isBatched(this.manifest) ? this.manifest.limits.maxBatch : rows
  }

  /** Requests that come while the pictures are decoded are told how many are ahead of them. */
  async #readAnnounced(
    question: Question,
    { pictures, beforeDecoding }: { readonly pictures: number; readonly beforeDecoding: () => void },
  ): Promise<{ inputs: Tensors; rows: number }> {
    using _announced = this.#batcher.announce(pictures)
    return await this.#read(question, beforeDecoding)
  }

  async #read(question: Question, beforeDecoding: () => void): Promise<{ inputs: Tensors; rows: number }> {
    const inputs = await this.#tensorsOf(question, beforeDecoding)
    const counts = new Set(Object.values(inputs).map(({ dims }) => dims[0] ?? 1))
    if (!isBatched(this.manifest)) return { inputs, rows: 1 }
    const [rows = 0] = counts
    if (counts.size > 1) throw invalid(`The inputs have ${[...counts].join(' and ')} rows; each needs the same number.`)
    if (rows > ROWS_MAX)
      throw invalid(
        `The request has ${rows} rows; at most ${ROWS_MAX} are taken at once. Send several, or a batch job.`,
      )
    return { inputs, rows }
  }

  async #tensorsOf(question: Question, beforeDecoding: () => void): Promise<Tensors> {
    if ('inputs' in question) return this.#namedTensors(question.inputs)
    const [input] = this.manifest.inputs
    if ('rows' in question) {
      if (!input?.table)
        throw invalid(
          `The model ${this.manifest.name} takes no rows of a table. Send "inputs" with ${this.#inputNames()}.`,
        )
      return { [input.name]: tableTensor(question.rows, input as TableInput) } // sound: it has a table
    }
    if (!input?.image)
      throw invalid(`The model ${this.manifest.name} takes no picture. Send "inputs" with ${this.#inputNames()}.`)
    if (question.images.length === 0) throw invalid('There is no picture. Send at least one.')
    if (question.images.length > ROWS_MAX)
      throw invalid(`There are ${question.images.length} pictures; at most ${ROWS_MAX} are taken at once.`)
    const decode = (image: Uint8Array) =>
      decoding.take(() => {
        beforeDecoding()
        return imageTensor(image, input as ImageInput) // sound: it has image
      })
    const tensors = await Promise.all(question.images.map(decode))
    return { [input.name]: concat(tensors) }
  }

  #namedTensors(given: Readonly<Record<string, unknown>>): Tensors {
    const strange = Object.keys(given).find((name) => !this.manifest.inputs.some((input) => input.name === name))
    if (strange !== undefined)
      throw invalid(`There is no input "${strange.slice(0, 100)}"; the model takes ${this.#inputNames()}.`)
    return Object.fromEntries(
      this.manifest.inputs.map((input) => {
        if (!Object.hasOwn(given, input.name))
          throw invalid(`The input "${input.name}" is missing; the model takes ${this.#inputNames()}.`)
        return [input.name, tensorOfJson(given[input.name], input)]
      }),
    )
  }

  #inputNames(): string {
    return this.manifest.inputs.map(({ name, dtype, shape }) => `"${name}" (${dtype} [${shape.join(', ')}])`).join(', ')
  }

  #shape(outputs: Tensors, at: number, topK: number | undefined): Prediction {
    return Object.fromEntries(
      this.manifest.outputs.map((output) => {
        const tensor = outputs[output.name]
        if (tensor === undefined) throw new Error(`The run gave no output ${output.name}.`)
        return [output.name, shapeOutput(outputRow(tensor, at, isBatched(this.manifest)), output, topK)]
      }),
    )
  }
}

/** `[start, end)` of each run that the rows of a question take. */
function piecesOf(rows: number, atOnce: number): readonly (readonly [number, number])[] {
  return Array.from(
    { length: Math.ceil(rows / atOnce) },
    (_, piece) => [piece * atOnce, Math.min(rows, (piece + 1) * atOnce)] as const,
  )
}

function mapTensors(tensors: Tensors, fn: (tensor: Tensors[string]) => Tensors[string]): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, fn(tensor)]))
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}

function invalid(message: string): ModelError {
  return new ModelError('model_input_invalid', message)
}

function unloaded({ name, version }: ModelManifest): ModelError {
  return new ModelError(
    'model_unloaded',
    `Version ${version} of ${name} is being unloaded. Ask again for the version that is the default now.`,
    {
      retryable: true,
      retryAfterMs: 1_000,
    },
  )
}
