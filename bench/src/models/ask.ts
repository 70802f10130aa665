import { Agent, request } from 'node:http'

/** What every request of one measurement sends. */
export type Question = {
  readonly url: string
  readonly key: string
  readonly path: string
  readonly type: string
  readonly body: Buffer
}

/** As many as a proxy in front of a server keeps; who comes beyond waits for one, and that counts. */
const SOCKETS_MAX = 256

export type Asker = { ask(): Promise<number>; close(): void }

/** Connections that are kept; each call resolves to the answer's status once its body has been read. */
export function asker({ url, key, path, type, body }: Question): Asker {
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX, maxFreeSockets: SOCKETS_MAX })
  const headers = { authorization: `Bearer ${key}`, 'content-type': type, 'content-length': body.length }
  return {
    ask: () =>
      new Promise((resolve, reject) => {
        const sent = request(new URL(path, url), { method: 'POST', agent, headers }, (response) => {
          response.resume()
          response.once('end', () => resolve(response.statusCode ?? 0))
        })
        sent.once('error', reject)
        sent.end(body)
      }),
    close: () => agent.destroy(),
  }
}

/** So many callers that ask again as soon as they are answered: answers per second. */
export async function throughput(
  ask: Asker['ask'],
  { callers, seconds }: { callers: number; seconds: number },
): Promise<number> {
  const startedAt = performance.now()
  const endsAt = startedAt + seconds * 1_000
  let answered = 0
  const call = async () => {
    while (performance.now() < endsAt) {
      const status = await ask()
      if (status !== 200) throw new Error(`A request was answered ${status}.`)
      answered++
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
  return (answered / (performance.now() - startedAt)) * 1_000
}

export type Load = {
  readonly offeredPerSecond: number
  readonly sent: number
  readonly answered: number
  /** 503: the queue was full, or the deadline could not be held. */
  readonly turnedAway: number
  /** Of those that were answered, from when each was due to be sent. */
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Requests that come at random, whether the ones before are answered or not, as from many people. */
export async function load(
  ask: Asker['ask'],
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<Load> {
  const latencies: number[] = []
  let [sent, turnedAway] = [0, 0]
  const all: Promise<void>[] = []
  const startedAt = performance.now()
  const random = lcg(17)
  for (let dueMs = 0; dueMs < seconds * 1_000; dueMs += (-Math.log(1 - random()) / perSecond) * 1_000) {
    const dueAt = startedAt + dueMs
    const waitMs = dueAt - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    sent++
    all.push(
      ask().then((status) => {
        if (status === 200) latencies.push(performance.now() - dueAt)
        else if (status === 503) turnedAway++
        else throw new Error(`A request was answered ${status}.`)
      }),
    )
  }
  await Promise.all(all)
  const sorted = Float64Array.from(latencies).sort()
  const at = (share: number) => round(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN)
  return {
    offeredPerSecond: Math.round(perSecond),
    sent,
    answered: sorted.length,
    turnedAway,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}

/** The same gaps every time. */
function lcg(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
