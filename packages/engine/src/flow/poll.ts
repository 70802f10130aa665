import { OptionInvalidError, PollTimeoutError } from '../errors.ts'
import type { Json } from '../json.ts'
import { checkDuration } from '../task/check-options.ts'
import type { Flow } from './flow.ts'

/** What a check says of the job elsewhere; to throw says that it failed. */
export type Polled<Output> = { readonly done: false } | { readonly done: true; readonly value: Output }

export type PollOptions<Handle extends Json, Output> = {
  /** Begins the work elsewhere, and gives what names it there. Tried again after `everyMs` when it throws an error that is retryable. */
  readonly start: (signal: AbortSignal) => Handle | Promise<Handle>
  readonly check: (handle: Handle, signal: AbortSignal) => Polled<Output> | Promise<Polled<Output>>
  /** Between two looks; no slot is held meanwhile, and after a while no memory. */
  readonly everyMs: number
  /** From the first try to start it. Default: it waits for ever. */
  readonly timeoutMs?: number
  /** Ends the work elsewhere when nobody waits for it any more: at the timeout, and when the workflow fails or is cancelled. */
  readonly cancel?: (handle: Handle, signal: AbortSignal) => unknown
}

/** The work elsewhere: where it stands as far as the code has heard. */
type Work = { isOver: boolean }

/** Made of recorded steps and sleeps alone, so whatever holds for those holds for it. */
export async function poll<Handle extends Json, Output>(
  flow: Flow,
  name: string,
  options: PollOptions<Handle, Output>,
): Promise<Output> {
  checkDuration('everyMs', options.everyMs)
  if (options.everyMs < 1) throw new OptionInvalidError('everyMs', String(options.everyMs), 'at least 1 millisecond')
  if (options.timeoutMs !== undefined) checkDuration('timeoutMs', options.timeoutMs)
  const giveUpAt = options.timeoutMs === undefined ? Number.POSITIVE_INFINITY : (await flow.now()) + options.timeoutMs
  const work: Work = { isOver: false }
  const handle = await begin(flow, name, options, { work, giveUpAt })
  for (;;) {
    const polled = await flow.step(`${name}: check`, (signal) => options.check(handle, signal))
    if (polled.done) {
      await end(flow, work)
      return polled.value
    }
    if ((await flow.now()) + options.everyMs > giveUpAt) break
    await flow.sleep(options.everyMs)
  }
  if (options.cancel !== undefined) await flow.step(`${name}: cancel`, (signal) => options.cancel?.(handle, signal))
  await end(flow, work)
  throw new PollTimeoutError(name, options.timeoutMs ?? 0)
}

/** One more step, so that the record has it that the code heard of the end: whoever cleans up after it ends nothing twice. */
async function end(flow: Flow, work: Work): Promise<void> {
  work.isOver = true
  await flow.now()
}

/** Starts the work, again and again while it is refused for now. */
async function begin<Handle extends Json, Output>(
  flow: Flow,
  name: string,
  { start, cancel, everyMs, timeoutMs }: PollOptions<Handle, Output>,
  { work, giveUpAt }: { readonly work: Work; readonly giveUpAt: number },
): Promise<Handle> {
  const undo = (handle: Handle | undefined, signal: AbortSignal) =>
    handle === undefined || work.isOver ? undefined : cancel?.(handle, signal)
  for (;;) {
    try {
      return await flow.step(`${name}: start`, start, cancel === undefined ? {} : { compensate: undo })
    } catch (error) {
      if (!isRetryable(error)) throw error
      if ((await flow.now()) + everyMs > giveUpAt) throw new PollTimeoutError(name, timeoutMs ?? 0)
      await flow.sleep(everyMs)
    }
  }
}

/** What a local step threw stands in its recorded error; only what says of itself that it may work later is tried again. */
function isRetryable(error: unknown): boolean {
  return (error as { readonly error?: { readonly retryable?: boolean } } | undefined)?.error?.retryable === true
}
