import type { JobId, Store } from '@headrace/engine'
import type { ExecuteRequest } from '@headrace/wire'
import type { Process } from './process.ts'
import type { ResponseWish } from './results.ts'

const NAMESPACE = 'response-wishes'

export function wishOf(process: Process, body: ExecuteRequest): ResponseWish {
  const outputs = body.outputs ? Object.keys(body.outputs) : undefined
  const isAll = outputs?.length === Object.keys(process.outputs).length
  return {
    ...(body.response === undefined ? {} : { response: body.response }),
    ...(outputs === undefined || isAll || outputs.length === 0 ? {} : { outputs }),
  }
}

/** Keeps what an asynchronous request said about its response, for when the results are fetched; mostly that is nothing. */
export async function keepWish(store: Store, id: JobId, wish: ResponseWish): Promise<void> {
  if (wish.response === 'raw' || wish.outputs) await store.settings.put(NAMESPACE, id, wish)
}

export async function keptWish(store: Store, id: JobId): Promise<ResponseWish> {
  return ((await store.settings.get(NAMESPACE, id)) ?? {}) as ResponseWish // sound: only keepWish writes here
}
