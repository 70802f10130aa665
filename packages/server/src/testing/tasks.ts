import { NonRetryableError, task, workflow } from '@headrace/engine'
import { z } from 'zod'
import { echoTask } from '../process/echo.ts'

export const double = task({
  name: 'double',
  public: true,
  input: z.number(),
  output: z.number(),
  run: (n: number) => n * 2,
})

export const divide = task({
  name: 'divide',
  title: 'Division',
  public: true,
  input: z.object({ dividend: z.int(), divisor: z.int() }),
  output: z.object({ quotient: z.int(), remainder: z.int() }),
  run({ dividend, divisor }) {
    if (divisor === 0) throw new NonRetryableError('There is no quotient by 0.')
    return { quotient: Math.trunc(dividend / divisor), remainder: dividend % divisor }
  },
})

/** Goes on until it is cancelled. */
export const endless = task({
  name: 'endless',
  public: true,
  run: (_input, job) =>
    new Promise((_, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason))),
})

/** Leaves logs, progress and two files. */
export const talkative = task({
  name: 'talkative',
  public: true,
  async run(_input, job) {
    job.log('info', 'the first line')
    job.log('warn', 'the second line')
    job.progress(0.5, 'half')
    await job.artifact('digits.txt', '0123456789', 'text/plain')
    await job.artifact('a page "1".html', '<script>alert(1)</script>', 'text/html')
    return 'done'
  },
})

export const quadruple = workflow({
  name: 'quadruple',
  public: true,
  input: z.number(),
  async run(n: number, flow) {
    return flow.call(double, await flow.call(double, n))
  },
})

/** Waits for somebody's word, and returns it. */
export const attentive = workflow({
  name: 'attentive',
  public: true,
  run: (_input: unknown, flow) => flow.waitFor('word'),
})

/** Its results are used again. */
export const square = task({
  name: 'square',
  public: true,
  input: z.number(),
  output: z.number(),
  cache: { ttlMs: 60_000 },
  run: (n: number) => n * n,
})

/** Not offered over HTTP. */
export const hidden = task({ name: 'hidden', run: () => 1 })

export const TASKS = [echoTask, double, divide, endless, talkative, quadruple, attentive, square, hidden]
