import type { Json, ModelList, PredictAnswer, WireModel, WireModelVersion } from '@headrace/wire'
import type { Http } from './http/http.ts'

/** What a model is asked: its inputs by name, rows of its table, or pictures. */
export type ModelQuestion =
  | { readonly inputs: Readonly<Record<string, Json>> }
  | { readonly rows: readonly Json[] }
  | { readonly images: readonly Blob[] }

export type PredictOptions = {
  /** The default one when left out. */
  readonly version?: string | undefined
  /** How many of the best classes are given; the manifest's number when left out. */
  readonly topK?: number | undefined
  /** From now to the answer; the manifest's when left out. */
  readonly deadlineMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export type AddedModel = WireModelVersion & { readonly name: string }

/** Deployed models. To add, change or remove one needs the scope `operate`. */
export interface Models {
  list(): Promise<readonly WireModel[]>
  /** @throws {ProblemError} `model_unknown` */
  get(name: string): Promise<WireModel>
  /**
   * Deploys an ONNX file with its manifest, and the safetensors file that the manifest names if it does; the same again is no
   * change. Not repeated when the connection is lost.
   * @throws {ProblemError} what is wrong with either; nothing is stored then
   */
  add(model: { readonly file: Blob; readonly manifest: Json; readonly weights?: Blob | undefined }): Promise<AddedModel>
  /** Chooses the version that answers where none is named. */
  setDefault(name: string, version: string): Promise<WireModel>
  /** One version, or the whole model. */
  remove(name: string, version?: string): Promise<void>
  /**
   * Asks, and gives the answer. A model that is busy is asked again as `Retry-After` says, within the client's `retryForMs`.
   * @throws {ProblemError} `model_input_invalid`, `model_overloaded`, `model_too_late`, and what else the server refuses
   */
  predict(name: string, question: ModelQuestion, options?: PredictOptions): Promise<PredictAnswer>
}

/** A large file over a slow line takes a while, and is loaded and tried before the answer. */
const ADD_TIMEOUT_MS = 1_800_000
const PREDICT_TIMEOUT_MS = 620_000

export function createModels(http: Http): Models {
  const pathOf = (name: string, version?: string) =>
    `/models/${encodeURIComponent(name)}${version === undefined ? '' : `/versions/${encodeURIComponent(version)}`}`
  return {
    list: async () => (await http.json<ModelList>({ path: '/models' })).models,
    get: (name) => http.json<WireModel>({ path: pathOf(name) }),
    add({ file, manifest, weights }) {
      const form = new FormData()
      form.append('manifest', JSON.stringify(manifest))
      form.append('model', file, 'model.onnx')
      if (weights !== undefined) form.append('weights', weights, 'model.safetensors')
      return http.json<AddedModel>({ method: 'POST', path: '/models', form, timeoutMs: ADD_TIMEOUT_MS, retryForMs: 0 })
    },
    setDefault: (name, version) =>
      http.json<WireModel>({ method: 'PUT', path: `${pathOf(name)}/default`, body: { version } }),
    remove: (name, version) => http.send({ method: 'DELETE', path: pathOf(name, version) }, async () => undefined),
    predict(name, question, { version, topK, deadlineMs, signal } = {}) {
      const options = { ...(topK !== undefined && { topK }), ...(deadlineMs !== undefined && { deadlineMs }) }
      const request = {
        method: 'POST',
        path: `${pathOf(name, version)}/predict`,
        isRepeatable: true,
        timeoutMs: PREDICT_TIMEOUT_MS,
        signal,
      } as const
      if (!('images' in question)) return http.json<PredictAnswer>({ ...request, body: { ...question, ...options } })
      const form = new FormData()
      for (const image of question.images) form.append('image', image, 'image')
      return http.json<PredictAnswer>({ ...request, form, query: options })
    },
  }
}
