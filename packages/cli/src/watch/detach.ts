import { CliError } from '../errors.ts'
import { EXIT } from '../exit-code.ts'

/** Ctrl-C while a job was watched: the watching ends, the job does not. */
export class DetachedError extends CliError {
  override readonly name = 'DetachedError'
  readonly code = 'detached'
  readonly exitCode = EXIT.interrupted
  constructor(jobId: string) {
    super(
      `Detached from job ${jobId}, which goes on. Watch it again: headrace watch ${jobId}; stop it: headrace cancel ${jobId}`,
    )
  }
}

/** Runs `work` with a signal that Ctrl-C aborts with a `DetachedError`. */
export async function detachOnInterrupt<T>(jobId: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController()
  const onInterrupt = () => interrupt.abort(new DetachedError(jobId))
  process.on('SIGINT', onInterrupt)
  try {
    return await work(interrupt.signal)
  } finally {
    process.off('SIGINT', onInterrupt)
  }
}
