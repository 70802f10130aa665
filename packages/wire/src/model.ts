// What the models app tells of its models, and what it answers to a prediction.

export type ModelImageWish = {
  readonly layout: 'nchw' | 'nhwc'
  readonly color: 'rgb' | 'bgr' | 'gray'
}

export type WireModelInput = {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly (number | string)[]
  /** It takes pictures. */
  readonly image?: ModelImageWish
  /** It takes rows of a table. */
  readonly table?: { readonly columns: readonly { readonly name: string }[] }
}

export type WireModelOutput = { readonly name: string; readonly kind: 'classification' | 'regression' | 'tensor' }

/** Of this server's process, since it loaded the version. Latencies are of the newest 2,048 requests, without the network. */
export type ModelFigures = {
  readonly requests: number
  readonly rows: number
  readonly answered: number
  readonly refused: number
  readonly tooLate: number
  readonly failed: number
  readonly queuedRows: number
  readonly queuedRowsMost: number
  readonly batches: number
  readonly batchRowsMean: number | null
  readonly batchSizes: { readonly [rows: string]: number }
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number } | null
  readonly runMs: { readonly p50: number; readonly p99: number } | null
}

export type WireModelVersion = {
  readonly version: string
  readonly title?: string
  readonly description?: string
  /** `resting`: not loaded in this process; the first request loads it. */
  readonly state: 'loaded' | 'resting'
  readonly isDefault: boolean
  readonly artifact: string
  readonly sizeBytes: number
  readonly addedAt: string
  readonly addedBy: string
  readonly inputs: readonly WireModelInput[]
  readonly outputs: readonly WireModelOutput[]
  readonly limits: {
    readonly maxBatch: number
    readonly maxDelayMs: number
    readonly queueMax: number
    readonly deadlineMs: number
    readonly threads: number
  }
  readonly loadMs?: number
  readonly figures?: ModelFigures
}

export type WireModel = {
  readonly name: string
  readonly defaultVersion: string
  /** The newest first. */
  readonly versions: readonly WireModelVersion[]
}

export type ModelList = { readonly models: readonly WireModel[] }

export type WirePredictedOutput =
  | {
      readonly kind: 'classification'
      readonly classes: readonly { readonly label: string; readonly index: number; readonly score: number | null }[]
    }
  | {
      readonly kind: 'regression'
      readonly values: { readonly [field: string]: number | null }
      readonly unit?: string
    }
  | { readonly kind: 'tensor'; readonly shape: readonly number[]; readonly data: readonly (number | boolean | null)[] }

/** One row's outputs by name. */
export type WirePrediction = { readonly [output: string]: WirePredictedOutput }

export type PredictAnswer = {
  readonly model: string
  readonly version: string
  readonly predictions: readonly WirePrediction[]
  readonly timing: { readonly queuedMs: number; readonly runMs: number; readonly batchRows: number }
}

/** The result of `models.predict-batch`: for each item its outputs, or what was wrong with it. */
export type BatchAnswer = {
  readonly model: string
  readonly version: string
  readonly count: number
  readonly failed: number
  readonly predictions: readonly (
    | WirePrediction
    | { readonly error: { readonly code: string; readonly message: string } }
  )[]
}
