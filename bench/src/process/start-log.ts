import { appendFileSync } from 'node:fs'

/** Notes that a job began to run: one line of job, process and instant in the file that `BENCH_STARTS` names. */
export function noteStart(job: number): void {
  const file = process.env.BENCH_STARTS
  if (file !== undefined) appendFileSync(file, `${job} ${process.pid} ${Date.now()}\n`)
}
