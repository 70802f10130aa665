import { type AnyTask, type Task, task, workflow } from '@headrace/engine'
import { ModelError } from '@headrace/inference'
import type { BatchAnswer, PredictAnswer, WirePrediction } from '@headrace/wire'
import { z } from 'zod'
import type { Predictor } from './predictor.ts'
import { BatchInput, type ImageSource, PredictInput, toQuestion } from './question.ts'

/** The queue of predictions that are jobs: `headrace worker --queues models=8` takes such only. */
export const MODELS_QUEUE = 'models'
export const PREDICT = 'models.predict'
export const PREDICT_BATCH = 'models.predict-batch'

const RETRY = { attempts: 3, backoff: 'exponential', delayMs: 500 } as const
/** A job is not in a hurry unless it says so. */
const JOB_DEADLINE_MS = 600_000
const TIMEOUT_MS = 900_000
/** A part is so many runs of the model: large enough to be worth a job, small enough to be repeated. */
const RUNS_PER_PART = 8
const PARTS_AT_ONCE = 8

/** What a description of the process says; what is in a prediction is for the manifest to say. */
const Prediction = z.record(z.string(), z.looseObject({}))
const PredictOutput = z.object({
  model: z.string(),
  version: z.string(),
  predictions: z.array(Prediction),
  timing: z.object({ queuedMs: z.number(), runMs: z.number(), batchRows: z.int() }),
})
const BatchOutput = z.object({
  model: z.string(),
  version: z.string(),
  count: z.int(),
  failed: z.int(),
  predictions: z.array(Prediction),
})

type Item =
  | { readonly inputs: Readonly<Record<string, unknown>> }
  | { readonly row: unknown }
  | { readonly image: ImageSource }
type Part = {
  readonly model: string
  readonly version: string
  readonly items: readonly Item[]
  readonly topK?: number | undefined
}
type Outcome = BatchAnswer['predictions'][number]

/** Predictions as jobs: of one question, and of many. Any worker of the store can take them. */
export function modelTasks(predictor: Predictor): readonly AnyTask[] {
  const predict = task<PredictInput, PredictAnswer>({
    name: PREDICT,
    title: 'Ask a model',
    description: 'What a model says of its inputs, rows of a table or pictures. GET /models lists the models.',
    public: true,
    queue: MODELS_QUEUE,
    input: PredictInput,
    output: PredictOutput as unknown as z.ZodType<PredictAnswer>, // sound: it says less of the same
    retry: RETRY,
    timeoutMs: TIMEOUT_MS,
    async run({ model, version, topK, deadlineMs = JOB_DEADLINE_MS, ...asked }, { signal }) {
      const question = await toQuestion(asked, (source) => predictor.image(source))
      return predictor.ask({ model, version }, question, { topK, deadlineMs, isPatient: true, signal })
    },
  })
  const part = task<Part, readonly Outcome[]>({
    name: 'models.predict-part',
    title: 'Some of a batch',
    queue: MODELS_QUEUE,
    retry: RETRY,
    timeoutMs: TIMEOUT_MS,
    run: (given, { signal }) => predictPart(given, predictor, signal),
  })
  return [predict, part, batchWorkflow(predictor, part)]
}

function batchWorkflow(predictor: Predictor, part: Task<Part, readonly Outcome[]>): AnyTask {
  return workflow<BatchInput, BatchAnswer>({
    name: PREDICT_BATCH,
    title: 'Ask a model about many',
    description:
      'One prediction for each row, picture or set of inputs, in order. What is wrong with one item is told in its place.',
    public: true,
    queue: MODELS_QUEUE,
    input: BatchInput,
    output: BatchOutput as unknown as z.ZodType<BatchAnswer>, // sound: it says less of the same
    async run({ model, topK, ...given }, flow) {
      // Chosen once: all parts are answered by the same version, even when another becomes the default meanwhile.
      const { version, rowsAtOnce } = await flow.step('choose the version', async () => {
        const { manifest } = await predictor.registry.find(model, given.version)
        return { version: manifest.version, rowsAtOnce: manifest.limits.maxBatch * RUNS_PER_PART }
      })
      const items = itemsOf(given)
      const parts = Array.from({ length: Math.ceil(items.length / rowsAtOnce) }, (_, at) => ({
        model,
        version,
        items: items.slice(at * rowsAtOnce, (at + 1) * rowsAtOnce),
        ...(topK !== undefined && { topK }),
      }))
      const predictions = (await flow.map(part, parts, { concurrency: PARTS_AT_ONCE })).flat()
      const failed = predictions.filter((outcome) => 'error' in outcome && 'code' in outcome.error).length
      return { model, version, count: items.length, failed, predictions }
    },
  })
}

function itemsOf({ inputs, rows, images }: Pick<BatchInput, 'inputs' | 'rows' | 'images'>): readonly Item[] {
  if (inputs !== undefined) return inputs.map((one) => ({ inputs: one }))
  if (rows !== undefined) return rows.map((row) => ({ row }))
  return (images ?? []).map((image) => ({ image }))
}

/** All at once, so that they run in full batches; an item that is wrong is told so, and takes nobody with it. */
async function predictPart(
  { model, version, items, topK }: Part,
  predictor: Predictor,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const options = { topK, deadlineMs: JOB_DEADLINE_MS, isPatient: true, signal }
  const predictOne = async (item: Item): Promise<Outcome> => {
    try {
      const { predictions } = await predictor.ask({ model, version }, await questionOf(item, predictor), options)
      return predictions[0] as WirePrediction // sound: an item is a row
    } catch (error) {
      if (!(error instanceof ModelError) || !ITEM_ERRORS.has(error.code)) throw error
      return { error: { code: error.code, message: error.message } }
    }
  }
  return Promise.all(items.map(predictOne))
}

/** What is wrong with one item, and not with the model. */
const ITEM_ERRORS: ReadonlySet<string> = new Set(['model_input_invalid', 'model_image_invalid', 'model_run_failed'])

function questionOf(item: Item, predictor: Predictor) {
  const asked =
    'inputs' in item ? { inputs: item.inputs } : 'row' in item ? { rows: [item.row] } : { images: [item.image] }
  return toQuestion(asked, (source) => predictor.image(source))
}
