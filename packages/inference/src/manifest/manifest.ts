import { z } from 'zod'
import { ModelError } from '../errors.ts'
import { ARRAYS, type Dtype } from '../tensor/tensor.ts'

/** What models and versions may be called: they stand in URLs. */
export const MODEL_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/
export const MODEL_VERSION = /^[A-Za-z0-9][\w.-]{0,62}$/

const DTYPES = Object.keys(ARRAYS) as [Dtype, ...Dtype[]] // sound: the keys of a constant
/** Labels of ImageNet's larger set number 21,841. */
const LABELS_MAX = 100_000
const SIDE_MAX = 8_192

const PerChannel = z.array(z.number()).min(1).max(4)

/** How a picture becomes a tensor of `[batch, channels, height, width]`, or the like. */
const ImagePreprocessing = z
  .strictObject({
    /** The shorter side is scaled to this before the crop; left out: the picture is scaled to the input's own size. */
    resize: z.int().min(1).max(SIDE_MAX).optional(),
    /** `cover` cuts off what juts out, `contain` pads with black, `stretch` distorts. */
    fit: z.enum(['cover', 'contain', 'stretch']).default('cover'),
    layout: z.enum(['nchw', 'nhwc']).default('nchw'),
    color: z.enum(['rgb', 'bgr', 'gray']).default('rgb'),
    /** Each value of 0 to 255 is multiplied by this first. */
    scale: z
      .number()
      .positive()
      .default(1 / 255),
    /** Then this is taken off, per channel in the order of `color`. */
    mean: PerChannel.optional(),
    /** And the rest divided by this. */
    std: PerChannel.refine((values) => values.every((value) => value !== 0), 'a std of 0 divides by 0').optional(),
  })
  .meta({ title: 'Picture' })

/** Rows of a table: each column's value, `(value - mean) / std`, in this order. */
const TablePreprocessing = z.strictObject({
  columns: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(200),
        mean: z.number().default(0),
        std: z
          .number()
          .refine((value) => value !== 0, 'a std of 0 divides by 0')
          .default(1),
        /** For a row that leaves it out; left out: every row must have it. */
        default: z.number().optional(),
      }),
    )
    .min(1)
    .max(10_000),
})

const Input = z.strictObject({
  name: z.string().min(1).max(500),
  dtype: z.enum(DTYPES),
  /** `batch` first where rows may be put together; another name is any size; a number is that size. */
  shape: z.array(z.union([z.int().min(1), z.string().min(1).max(100)])).max(16),
  image: ImagePreprocessing.optional(),
  table: TablePreprocessing.optional(),
})

const common = { name: z.string().min(1).max(500) }

const Output = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('classification'),
    activation: z.enum(['softmax', 'sigmoid', 'none']).default('none'),
    labels: z.array(z.string().max(500)).min(1).max(LABELS_MAX).optional(),
    topK: z.int().min(1).max(LABELS_MAX).default(5),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('regression'),
    /** What each number is called. */
    fields: z.array(z.string().min(1).max(200)).min(1).max(10_000).optional(),
    unit: z.string().max(50).optional(),
  }),
  z.strictObject({ ...common, kind: z.literal('tensor') }),
])

/** A file of weights that comes beside the graph: a checkpoint trained anew, or what the graph was exported without. */
const Weights = z.strictObject({
  file: z
    .string()
    .max(255)
    .regex(/^[^/\\]+\.safetensors$/, 'a file name that ends in .safetensors, without a folder'),
  /** Weights of the graph that stay as they are, so that the file need not have them; `*` at the end is any ending. */
  keep: z.array(z.string().min(1).max(500)).max(10_000).default([]),
})

const Limits = z.strictObject({
  /** Rows in one run of the model. */
  maxBatch: z.int().min(1).max(4_096).default(8),
  /** How long the first row of a batch waits for others. */
  maxDelayMs: z.number().min(0).max(10_000).default(5),
  /** Rows that wait; beyond it requests are refused with 503. */
  queueMax: z.int().min(1).max(100_000).default(256),
  /** From a request's arrival to its answer, where the request says none. */
  deadlineMs: z.number().min(1).max(600_000).default(10_000),
  /** Threads that one run uses within the model. */
  threads: z.int().min(1).max(64).default(1),
})

const Manifest = z
  .strictObject({
    name: z.string().regex(MODEL_NAME, 'a name is a-z, 0-9 and hyphens, at most 63 of them'),
    version: z.string().regex(MODEL_VERSION, 'a version is letters, digits, dots, hyphens and underscores, at most 63'),
    title: z.string().max(200).optional(),
    description: z.string().max(10_000).optional(),
    inputs: z.array(Input).min(1).max(100),
    outputs: z.array(Output).min(1).max(100),
    weights: Weights.optional(),
    limits: Limits.default(() => Limits.parse({})),
  })
  .superRefine((manifest, context) => {
    const refuse = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message })
    for (const [index, input] of manifest.inputs.entries()) {
      const path = ['inputs', index]
      if (input.image && input.table) refuse(path, 'is either a picture or a table')
      if (input.image) checkImage(input, (message) => refuse([...path, 'image'], message))
      if (input.table && (input.shape.length !== 2 || input.shape[1] !== input.table.columns.length))
        refuse(
          [...path, 'table'],
          `has ${input.table.columns.length} columns, so the shape must be ["batch", ${input.table.columns.length}]`,
        )
      if (input.shape.slice(1).includes('batch')) refuse([...path, 'shape'], '"batch" can only be the first dimension')
    }
    for (const side of ['inputs', 'outputs'] as const) {
      const names = manifest[side].map(({ name }) => name)
      for (const [index, name] of names.entries())
        if (names.indexOf(name) !== index) refuse([side, index, 'name'], `"${name}" is there twice`)
    }
    if (manifest.inputs.filter((input) => input.image || input.table).length > 0 && manifest.inputs.length > 1)
      refuse(['inputs'], 'a model that takes a picture or a table has that one input')
    if (new Set(manifest.inputs.map(({ shape }) => shape[0] === 'batch')).size > 1)
      refuse(['inputs'], 'either every input has "batch" first, or none')
  })

export type ModelManifest = z.infer<typeof Manifest>
export type ModelInput = ModelManifest['inputs'][number]
export type ModelOutput = ModelManifest['outputs'][number]
export type ModelWeights = NonNullable<ModelManifest['weights']>
export type ModelLimits = ModelManifest['limits']
export type ImageWish = NonNullable<ModelInput['image']>

type Input = z.infer<typeof Input>

function checkImage({ shape, dtype, image }: Input, refuse: (message: string) => void): void {
  if (image === undefined) return
  const { channels, height, width } = imageAxes({ shape, image })
  const wanted = image.color === 'gray' ? 1 : 3
  if (shape.length !== 4 || channels !== wanted)
    refuse(
      `is of ${wanted} channels in ${image.layout}, so the shape must be ["batch", ${image.layout === 'nchw' ? `${wanted}, height, width` : `height, width, ${wanted}`}]`,
    )
  if (typeof height !== 'number' || typeof width !== 'number' || height > SIDE_MAX || width > SIDE_MAX)
    refuse(`needs a height and a width as numbers in the shape, at most ${SIDE_MAX}`)
  const side = Math.max(Number(height), Number(width))
  if (image.resize !== undefined && image.resize < side)
    refuse(`has a resize of ${image.resize}, less than the ${side} that are cut out of it`)
  if (dtype !== 'float32' && dtype !== 'uint8') refuse('becomes float32 or uint8')
  if (dtype === 'uint8' && (image.mean || image.std)) refuse('as uint8 stays 0 to 255: leave out mean and std')
  for (const name of ['mean', 'std'] as const)
    if (image[name] && image[name].length !== wanted)
      refuse(`has a ${name} of ${image[name].length} values, for ${wanted} channels`)
}

/** Where in the shape a picture's sides are. */
export function imageAxes({ shape, image }: Pick<ModelInput, 'shape'> & { readonly image: ImageWish }) {
  const [, first, second, third] = shape
  return image.layout === 'nchw'
    ? { channels: first, height: second, width: third }
    : { channels: third, height: first, width: second }
}

/** Whether rows of several requests may run together. */
export function isBatched({ inputs }: ModelManifest): boolean {
  return inputs.every(({ shape }) => shape[0] === 'batch')
}

/**
 * Reads what lies beside a model, or came with it.
 * @throws {ModelError} `manifest_invalid`, naming each place and what must stand there
 */
export function parseManifest(value: unknown): ModelManifest {
  const parsed = Manifest.safeParse(value)
  if (parsed.success) return parsed.data
  const flaws = parsed.error.issues.map(
    ({ path, message }) => `${path.map(String).join('.') || 'the whole'}: ${message}`,
  )
  const more = flaws.length > 8 ? `; and ${flaws.length - 8} more` : ''
  throw new ModelError('manifest_invalid', `The manifest is invalid. ${flaws.slice(0, 8).join('; ')}${more}.`)
}
