import type { RunPoint } from '../batch/run-times.ts'
import type { ModelErrorCode } from '../errors.ts'
import type { ModelManifest } from '../manifest/manifest.ts'
import type { Tensors } from '../tensor/tensor.ts'

/** What a session's thread is started with. */
export type SessionSetup = { readonly path: string; readonly manifest: ModelManifest }

export type RunRequest = { readonly type: 'run'; readonly number: number; readonly inputs: Tensors }

export type ToSession = RunRequest | { readonly type: 'close' }

export type FromSession =
  | { readonly type: 'ready'; readonly curve: readonly RunPoint[] }
  | { readonly type: 'refused'; readonly error: PlainError }
  | { readonly type: 'ran'; readonly number: number; readonly outputs: Tensors }
  | { readonly type: 'threw'; readonly number: number; readonly error: PlainError }
  | { readonly type: 'closed' }

/** An error that crosses threads. */
export type PlainError = { readonly code: ModelErrorCode; readonly message: string }
