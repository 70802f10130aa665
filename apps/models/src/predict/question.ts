import type { Question } from '@headrace/inference'
import { z } from 'zod'

const ARTIFACT = /^sha256:[0-9a-f]{64}$/
const BASE64_LENGTH_MAX = 30_000_000
const ROWS_MAX = 4_096
const BATCH_ROWS_MAX = 100_000
const DEADLINE_MS_MAX = 600_000

/** A picture that is an artifact already, or comes along. */
export const ImageSource = z.union([
  z.strictObject({ artifact: z.string().regex(ARTIFACT, 'an artifact id is sha256: and 64 hexadecimal digits') }),
  z.strictObject({ base64: z.base64().min(1).max(BASE64_LENGTH_MAX) }),
])
export type ImageSource = z.infer<typeof ImageSource>

const questions = (rowsMax: number) => ({
  inputs: z.record(z.string(), z.unknown()).optional().meta({
    title: 'Inputs',
    description: 'By name: nested lists with the batch first, or {"shape": […], "data": […]}.',
  }),
  rows: z
    .array(z.unknown())
    .min(1)
    .max(rowsMax)
    .optional()
    .meta({ title: 'Rows', description: 'Of a model that takes a table: objects by column, or lists.' }),
  images: z
    .array(ImageSource)
    .min(1)
    .max(rowsMax)
    .optional()
    .meta({ title: 'Pictures', description: 'Of a model that takes pictures.' }),
})

const topK = z
  .int()
  .min(1)
  .max(100_000)
  .optional()
  .meta({ title: 'Classes', description: 'How many of the best classes are given.' })
const deadlineMs = z
  .number()
  .min(1)
  .max(DEADLINE_MS_MAX)
  .optional()
  .meta({ title: 'Deadline', description: 'Milliseconds from now to the answer.' })
const named = {
  model: z.string().min(1).max(100).meta({ title: 'Model' }),
  version: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .meta({ title: 'Version', description: 'The default one when left out.' }),
}
const ONE = 'give exactly one of inputs, rows and images'
const isOne = (value: { inputs?: unknown; rows?: unknown; images?: unknown }) =>
  [value.inputs, value.rows, value.images].filter((one) => one !== undefined).length === 1

/** The body of a request to predict; the model stands in its URL. */
export const PredictBody = z.strictObject({ ...questions(ROWS_MAX), topK, deadlineMs }).refine(isOne, ONE)
export type PredictBody = z.infer<typeof PredictBody>

/** The input of `models.predict`. */
export const PredictInput = z.strictObject({ ...named, ...questions(ROWS_MAX), topK, deadlineMs }).refine(isOne, ONE)
export type PredictInput = z.infer<typeof PredictInput>

const { rows, images } = questions(BATCH_ROWS_MAX)
/** The input of `models.predict-batch`: `inputs` are a list here, one item each. */
export const BatchInput = z
  .strictObject({
    ...named,
    rows,
    images,
    inputs: z
      .array(z.record(z.string(), z.unknown()))
      .min(1)
      .max(BATCH_ROWS_MAX)
      .optional()
      .meta({ title: 'Inputs', description: 'One row of each input per item.' }),
    topK,
  })
  .refine(isOne, ONE)
export type BatchInput = z.infer<typeof BatchInput>

/** @param read gives the bytes of a picture */
export async function toQuestion(
  { inputs, rows, images }: Pick<PredictBody, 'inputs' | 'rows' | 'images'>,
  read: (source: ImageSource) => Promise<Uint8Array>,
): Promise<Question> {
  if (inputs !== undefined) return { inputs }
  if (rows !== undefined) return { rows }
  return { images: await Promise.all((images ?? []).map(read)) }
}
