import type { Engine } from '@headrace/engine'
import type { BaseUrl } from './answer/links.ts'
import type { ArtifactStorage } from './artifact/artifact-source.ts'
import type { EventHub } from './event/event-hub.ts'
import type { Process } from './process/process.ts'
import type { QueueReader } from './queue/queue-counts.ts'

/** What the routes share. */
export type ServerContext = {
  readonly engine: Engine
  readonly processes: ReadonlyMap<string, Process>
  readonly artifacts: ArtifactStorage | undefined
  readonly hub: EventHub
  readonly queueCounts: QueueReader
  readonly baseUrl: BaseUrl
  readonly version: string
  readonly pages: readonly { readonly id: string; readonly title: string; readonly path: string }[]
  /** How long a synchronous execution waits before it is answered as an asynchronous one. */
  readonly syncWaitMs: number
  /** Fires when the server closes. */
  readonly closing: AbortSignal
}
