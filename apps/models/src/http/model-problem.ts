import { ModelError, type ModelErrorCode } from '@headrace/inference'
import { HttpProblem } from '@headrace/server'

type Answer = { readonly status: number; readonly title: string }

const INVALID: Answer = { status: 422, title: 'The model cannot be taken' }
const ANSWERS: Readonly<Record<ModelErrorCode, Answer>> = {
  manifest_invalid: { status: 400, title: 'The manifest is invalid' },
  model_upload_invalid: { status: 400, title: 'The upload is invalid' },
  model_too_large: { status: 413, title: 'The model is too large' },
  model_format_unsupported: { status: 415, title: 'This is no ONNX model' },
  model_damaged: INVALID,
  model_opset_unsupported: INVALID,
  model_operator_unsupported: INVALID,
  model_external_data: INVALID,
  weights_damaged: INVALID,
  weights_mismatch: INVALID,
  model_signature_mismatch: INVALID,
  model_load_failed: INVALID,
  model_exists: { status: 409, title: 'The version is there already' },
  model_unknown: { status: 404, title: 'No such model' },
  model_input_invalid: { status: 400, title: 'The input is invalid' },
  model_image_invalid: { status: 400, title: 'The picture cannot be read' },
  model_run_failed: { status: 422, title: 'The model failed' },
  model_overloaded: { status: 503, title: 'The model is busy' },
  model_too_late: { status: 503, title: 'The deadline has passed' },
  model_unloaded: { status: 503, title: 'The version is being removed' },
  model_runtime_missing: { status: 501, title: 'Models do not run on this machine' },
}

/** Makes what is wrong with a model, or what is asked of it, an answer. */
export async function answeringModelErrors<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof ModelError ? toProblem(error) : error
  }
}

function toProblem(error: ModelError): HttpProblem {
  const { status, title } = ANSWERS[error.code]
  const headers: Record<string, string> =
    status === 503 ? { 'retry-after': String(Math.ceil((error.retryAfterMs ?? 1_000) / 1_000)) } : {}
  return new HttpProblem({ status, code: error.code, title, detail: error.message, headers }, { cause: error })
}
