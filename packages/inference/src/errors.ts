/** The stable codes of what is wrong with a model, its manifest or what is asked of it. */
export type ModelErrorCode =
  | 'manifest_invalid'
  | 'model_format_unsupported'
  | 'model_too_large'
  | 'model_damaged'
  | 'model_opset_unsupported'
  | 'model_operator_unsupported'
  | 'model_external_data'
  | 'weights_damaged'
  | 'weights_mismatch'
  | 'model_signature_mismatch'
  | 'model_load_failed'
  | 'model_run_failed'
  | 'model_runtime_missing'
  | 'model_input_invalid'
  | 'model_image_invalid'
  | 'model_overloaded'
  | 'model_too_late'
  | 'model_unloaded'
  | 'model_unknown'
  | 'model_exists'
  | 'model_upload_invalid'

/** `code` is for programs and never changes; `message` says what happened, to what, and what to do. */
export class ModelError extends Error {
  override readonly name = 'ModelError'
  readonly code: ModelErrorCode
  /** Whether trying again may help: not where the model or the input is at fault. */
  readonly retryable: boolean
  /** Of `model_overloaded`: when there should be room again. */
  readonly retryAfterMs: number | undefined
  constructor(
    code: ModelErrorCode,
    message: string,
    options: { cause?: unknown; retryable?: boolean; retryAfterMs?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = options.retryable ?? false
    this.retryAfterMs = options.retryAfterMs
  }
}
