import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type ExternalJob = { state: 'RUNNING' | 'FINISHED' | 'ERROR'; looks: number }

/**
 * A job service with the addresses and answers of Spark JobServer, as far as a client meets them: POST /jobs gives an id or
 * NO SLOTS AVAILABLE, GET /jobs/{id} tells RUNNING, FINISHED or ERROR, DELETE /jobs/{id} kills. For tests.
 */
export class JobServer implements AsyncDisposable {
  readonly jobs = new Map<string, ExternalJob>()
  readonly deleted: string[] = []
  /** Submissions that are turned away before one is taken. */
  noSlots = 0
  /** How many looks a job is RUNNING for, and how it ends then. */
  runningLooks = 2
  endsAs: 'FINISHED' | 'ERROR' = 'FINISHED'
  submitMs = 0
  refused = 0
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response))

  static async open(): Promise<JobServer> {
    const service = new JobServer()
    service.#server.listen(0, '127.0.0.1')
    await once(service.#server, 'listening')
    return service
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const say = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const id = /^\/jobs\/([\w-]+)$/.exec(request.url ?? '')?.[1]
    if (request.method === 'POST') {
      await new Promise((resolve) => setTimeout(resolve, this.submitMs))
      if (this.refused < this.noSlots) {
        this.refused++
        return void say(503, { status: 'NO SLOTS AVAILABLE' })
      }
      const jobId = `job-${this.jobs.size + 1}`
      this.jobs.set(jobId, { state: 'RUNNING', looks: 0 })
      return void say(202, { status: 'STARTED', result: { jobId, context: 'geop' } })
    }
    const job = this.jobs.get(id ?? '')
    if (id === undefined || job === undefined) return void say(404, { status: 'ERROR', result: 'No such job ID' })
    if (request.method === 'DELETE') {
      this.deleted.push(id)
      return void say(200, { status: 'KILLED' })
    }
    if (++job.looks > this.runningLooks) job.state = this.endsAs
    say(200, { status: job.state, ...(job.state === 'FINISHED' && { result: { 'List(11)': 7 } }) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
