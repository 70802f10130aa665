import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { StatusInfo, WireEvent } from '@headrace/wire'

export type Received = {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface ScriptedServer extends AsyncDisposable {
  readonly url: string
  /** Every request so far, oldest first. */
  readonly received: readonly Received[]
}

/** A real HTTP server on a free port of loopback; `script` writes each answer, or destroys the socket. */
export async function startScriptedServer(
  script: (request: Received, response: ServerResponse) => void | Promise<void>,
): Promise<ScriptedServer> {
  const received: Received[] = []
  const server = createServer(async (incoming, response) => {
    const request = await receive(incoming)
    received.push(request)
    await script(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // sound: it listens on TCP
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function receive(incoming: IncomingMessage): Promise<Received> {
  const url = new URL(incoming.url ?? '/', 'http://any')
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body: Buffer.concat(chunks).toString(),
  }
}

export function answerJson(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

export function answerProblem(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): void {
  answerJson(response, { type: `urn:headrace:${code}`, title: code, status, code }, status, {
    ...headers,
    'content-type': 'application/problem+json',
  })
}

export function statusOf(id: string, state: StatusInfo['state'], more: Partial<StatusInfo> = {}): StatusInfo {
  const status = ({ waiting: 'accepted', succeeded: 'successful', cancelled: 'dismissed' } as const)[state as 'waiting']
  return {
    jobID: id,
    processID: 'double',
    type: 'process',
    status: status ?? (state as 'running' | 'failed'), // sound: the other two are named alike
    created: '2030-01-01T00:00:00.000Z',
    updated: '2030-01-01T00:00:00.000Z',
    progress: 0,
    links: [],
    state,
    kind: 'task',
    queue: 'default',
    priority: 0,
    attempt: 1,
    tags: [],
    rootId: id,
    ...more,
  }
}

export function eventOf(jobId: string, cursor: number, kind: WireEvent['kind'] = 'progress'): WireEvent {
  return { cursor, jobId, kind, attempt: 1, at: '2030-01-01T00:00:00.000Z', data: { text: `snow ❄ ${cursor}` } }
}

export function sseOf(event: WireEvent): string {
  return `id: ${event.cursor}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`
}
