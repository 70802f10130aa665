import type { Json } from '@headrace/wire'
import { useSyncExternalStore } from 'react'
import { type HttpResponse, Upload } from 'tus-js-client'
import { getJson, headrace } from '../data/headrace.ts'
import { asError } from '../data/loadable.ts'
import { coalesce } from '../live/coalesce.ts'
import type { FileUpload } from './batch.ts'
import { messageOf } from './document-data.ts'

// Uploads belong to the tab, not to a page: going to another page and coming back neither stops nor forgets them.

/** A browser has six connections to a host: some are left for the events and the pages. */
export const PARALLEL_MAX = 3
/** A lost connection is tried again for about a minute, and goes on where the server's bytes end. */
const RETRY_DELAYS_MS = [0, 1_000, 3_000, 5_000, 10_000, 20_000, 30_000]
const REDRAW_MS = 150

/** How documents are to be read; the process's own inputs. */
export type ReadingWish = {
  readonly languages?: readonly string[]
  readonly ocr?: 'auto' | 'always' | 'never'
  /** What is made beside the text; left out: both. */
  readonly outputs?: readonly ('images' | 'pdf')[]
}

type Sent = { readonly file: File; readonly wish: ReadingWish }

const uploads = new Map<number, FileUpload>()
const sources = new Map<number, Sent>()
const listeners = new Set<() => void>()
let shown: readonly FileUpload[] = []
let nextKey = 1
let active = 0

/** All of this tab, in the order in which they were chosen. */
export function useUploads(): readonly FileUpload[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => shown,
  )
}

/** A name for what is chosen at once; each of its documents carries it as a tag. */
export function newBatch(): string {
  return `batch-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`
}

export function sendFiles(files: readonly File[], batch: string, wish: ReadingWish): void {
  for (const file of files) {
    const key = nextKey++
    sources.set(key, { file, wish })
    uploads.set(key, { key, batch, name: file.name, sizeBytes: file.size, state: 'queued' })
  }
  changed()
  sendNext()
}

/** Once more what could not be sent; what the server has of it is not sent again. */
export function sendAgain(key: number): void {
  const upload = uploads.get(key)
  if (upload?.state !== 'failed') return
  change(key, { state: 'queued' })
  sendNext()
}

function sendNext(): void {
  while (active < PARALLEL_MAX) {
    const next = uploads.values().find(({ state }) => state === 'queued')
    if (next === undefined) return
    active++
    send(next.key)
      .catch((thrown) => change(next.key, { state: 'failed', message: messageOf(asError(thrown)) }))
      .finally(() => {
        active--
        sendNext()
      })
  }
}

async function send(key: number): Promise<void> {
  const { file, wish } = sources.get(key) as Sent // sound: both are set at once
  change(key, { state: 'uploading', sentBytes: 0 })
  const artifact = await upload(file, (sentBytes) => change(key, { state: 'uploading', sentBytes }))
  const inputs = { document: { artifact }, name: file.name.slice(-255) || 'document', ...wish } as {
    [id: string]: Json
  }
  const batch = uploads.get(key)?.batch ?? ''
  const job = await headrace.submit('documents.process', inputs, {
    tags: [batch],
    idempotencyKey: `${batch}-${key}`,
  })
  sources.delete(key)
  change(key, { state: 'submitted', jobID: job.id })
}

/** Sends a file by tus. One that was begun before, in this tab or another, goes on where it was cut off. */
function upload(file: File, onProgress: (sentBytes: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const sending = new Upload(file, {
      endpoint: '/uploads/',
      retryDelays: RETRY_DELAYS_MS,
      metadata: { filename: file.name, filetype: file.type },
      removeFingerprintOnSuccess: true,
      onProgress,
      onSuccess: ({ lastResponse }) => resolve(artifactOf(lastResponse, sending.url ?? '')),
      onError: (error) => reject(new Error(refusalOf(error), { cause: error })),
    })
    sending.findPreviousUploads().then(([before]) => {
      if (before) sending.resumeFromPreviousUpload(before)
      sending.start()
    }, reject)
  })
}

async function artifactOf(response: HttpResponse, url: string): Promise<string> {
  const told = response.getHeader('headrace-artifact')
  if (told) return told
  const { artifact } = await getJson<{ readonly artifact?: string }>(new URL(url, location.href).pathname)
  if (artifact === undefined) throw new Error('The server has the file, but did not store it. Send it again.')
  return artifact
}

/** The server's own words where it answered; tus's library puts its request around them. */
function refusalOf(error: Error): string {
  const body = 'originalResponse' in error ? (error.originalResponse as HttpResponse | null)?.getBody() : undefined
  try {
    const { detail, title } = JSON.parse(body ?? '') as { detail?: string; title?: string }
    return detail ?? title ?? error.message
  } catch {
    return 'The connection to the server was lost, and did not come back within a minute.'
  }
}

type Change =
  | { readonly state: 'queued' }
  | { readonly state: 'uploading'; readonly sentBytes: number }
  | { readonly state: 'submitted'; readonly jobID: string }
  | { readonly state: 'failed'; readonly message: string }

function change(key: number, after: Change): void {
  const upload = uploads.get(key)
  if (upload === undefined) return
  const { batch, name, sizeBytes } = upload
  uploads.set(key, { key, batch, name, sizeBytes, ...after })
  redraw.push(true)
}

const redraw = coalesce<true>(REDRAW_MS, changed)

function changed(): void {
  shown = [...uploads.values()]
  for (const listener of listeners) listener()
}

// What is not sent yet is only in this tab.
addEventListener('beforeunload', (event) => {
  if (uploads.values().some(({ state }) => state === 'queued' || state === 'uploading')) event.preventDefault()
})
