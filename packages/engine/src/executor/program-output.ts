import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { EventLineTooLongError, ProgramError } from './errors.ts'
import type { ExecutionEvents } from './execution.ts'
import { type Line, LineSplitter } from './line-splitter.ts'
import { parseProgramEvent } from './program-event.ts'

/** The listener is asked for room after each so many lines. */
const LINES_BETWEEN_DRAINS = 256
const STDERR_TAIL_LINES = 20
/** Of a line in an error's message, and of an invalid line in a log; the whole of it is in the logs. */
const QUOTED_CHARACTERS_MAX = 500

export type ProgramOutputOptions = {
  readonly program: string
  readonly cwd: string
  readonly logLineBytesMax: number
  readonly eventLineBytesMax: number
}

/** Reads all that a program says, passes it on to the listener, and keeps what its outcome is decided by. */
export class ProgramOutput {
  /** The last `result` event. */
  result: { readonly value: unknown } | undefined
  /** The first `error` event, artifact that could not be kept, or event too long to be read. */
  failure: unknown
  hasFailed = false
  readonly stderrTail: string[] = []
  readonly #events: ExecutionEvents
  readonly #options: ProgramOutputOptions
  #isAbandoned = false
  #waitingForListener = 0
  #linesSinceDrained = 0
  #eventLines = 0
  #isInLongEvent = false

  constructor(events: ExecutionEvents, options: ProgramOutputOptions) {
    this.#events = events
    this.#options = options
  }

  /** Whether what the program said waits for the listener rather than for the program. */
  get isHeldUp(): boolean {
    return this.#waitingForListener > 0
  }

  /** From now on a stream that is cut off is no error, and nothing more is passed on. */
  abandon(): void {
    this.#isAbandoned = true
  }

  readStdout(stream: Readable): Promise<void> {
    return this.#readLines(stream, this.#options.logLineBytesMax, ({ text }) => this.#events.log('info', text))
  }

  readStderr(stream: Readable): Promise<void> {
    return this.#readLines(stream, this.#options.logLineBytesMax, ({ text }) => {
      this.stderrTail.push(quoted(text))
      if (this.stderrTail.length > STDERR_TAIL_LINES) this.stderrTail.shift()
      this.#events.log('warn', text)
    })
  }

  readEvents(stream: Readable): Promise<void> {
    return this.#readLines(stream, this.#options.eventLineBytesMax, (line) => this.#takeEventLine(line))
  }

  /** One chunk at a time: while the listener has no room, the pipe is not read, fills up, and the program waits. */
  async #readLines(stream: Readable, lineBytesMax: number, take: (line: Line) => unknown): Promise<void> {
    const splitter = new LineSplitter(lineBytesMax)
    try {
      for await (const chunk of stream) await this.#takeLines(splitter.push(chunk), take)
    } catch (error) {
      if (!this.#isAbandoned) throw error
      return
    }
    await this.#takeLines(splitter.end(), take)
  }

  async #takeLines(lines: Line[], take: (line: Line) => unknown): Promise<void> {
    for (const line of lines) {
      if (this.#isAbandoned) return
      const taken = take(line)
      if (taken instanceof Promise) await this.#whileHeldUp(taken)
      if (++this.#linesSinceDrained >= LINES_BETWEEN_DRAINS) await this.#drain()
    }
  }

  async #drain(): Promise<void> {
    this.#linesSinceDrained = 0
    if (this.#events.drained) await this.#whileHeldUp(this.#events.drained())
  }

  async #whileHeldUp(promise: Promise<unknown>): Promise<void> {
    this.#waitingForListener++
    await promise.finally(() => this.#waitingForListener--)
  }

  #takeEventLine({ text, isCut }: Line): Promise<void> | void {
    if (!this.#isInLongEvent) this.#eventLines++
    if (isCut && !this.#isInLongEvent) this.#failTooLong()
    const isPiece = isCut || this.#isInLongEvent
    this.#isInLongEvent = isCut
    if (!isPiece && text.trim() !== '') return this.#takeEvent(text)
  }

  #takeEvent(text: string): Promise<void> | void {
    const event = parseProgramEvent(text)
    switch (event.type) {
      case 'progress':
        return this.#events.progress(event.fraction, event.message)
      case 'metric':
        return this.#events.metric(event.name, event.step, event.value)
      case 'log':
        return this.#events.log(event.level, event.message)
      case 'artifact':
        return this.#keepArtifact(event)
      case 'result':
        this.result = { value: event.value }
        return
      case 'error':
        return this.#fail(new ProgramError(event.message, event))
      case 'invalid':
        return this.#events.log('warn', `Event line ${this.#eventLines} is ignored, as ${event.why}: ${quoted(text)}`)
      default:
        event satisfies never
    }
  }

  async #keepArtifact({ name, path, mediaType }: { name: string; path: string; mediaType?: string }): Promise<void> {
    const file = { name, path: resolve(this.#options.cwd, path), ...(mediaType !== undefined && { mediaType }) }
    await this.#events.artifact(file).catch((error: unknown) => this.#fail(error))
  }

  #failTooLong(): void {
    this.#fail(new EventLineTooLongError(this.#options.program, this.#eventLines, this.#options.eventLineBytesMax))
  }

  #fail(error: unknown): void {
    if (this.hasFailed) return
    this.hasFailed = true
    this.failure = error
  }
}

function quoted(text: string): string {
  return text.length > QUOTED_CHARACTERS_MAX ? `${text.slice(0, QUOTED_CHARACTERS_MAX)}…` : text
}
