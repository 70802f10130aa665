/** One event of a `text/event-stream`, as WHATWG HTML 9.2.6 dispatches it. */
export type ServerSentEvent = {
  /** `message` unless the stream named it. */
  readonly type: string
  readonly data: string
  /** The last `id:` seen so far, this event's or an earlier one's. */
  readonly lastEventId: string
}

/** Reads a stream of UTF-8 bytes cut anywhere. */
export interface SseParser {
  /** The events that `chunk` completes. An event that the stream's end cuts off is never given. */
  push(chunk: Uint8Array): ServerSentEvent[]
  /** The latest `retry:`, in milliseconds. */
  readonly retryMs: number | undefined
  /** The latest whole event's `id:`, also of one that had no data. */
  readonly lastEventId: string
}

/** @example createSseParser().push(new TextEncoder().encode('data: 1\n\n')) // [{ type: 'message', data: '1', lastEventId: '' }] */
export function createSseParser(): SseParser {
  const decoder = new TextDecoder() // drops a leading byte order mark, as the specification wants
  const lines = createLineSplitter()
  let type = ''
  let data: string[] = []
  let idSeen = ''
  let lastEventId = '' // moves with a whole event only, so that one that is cut off will be asked for again
  let retryMs: number | undefined

  function readField(field: string, value: string): void {
    if (field === 'event') type = value
    else if (field === 'data') data.push(value)
    else if (field === 'id' && !value.includes('\0')) idSeen = value
    else if (field === 'retry' && /^\d+$/.test(value)) retryMs = Number(value)
  }

  function dispatch(): ServerSentEvent | undefined {
    lastEventId = idSeen
    const event = data.length > 0 ? { type: type || 'message', data: data.join('\n'), lastEventId } : undefined
    type = ''
    data = []
    return event
  }

  return {
    get retryMs() {
      return retryMs
    },
    get lastEventId() {
      return lastEventId
    },
    push(chunk) {
      const events: ServerSentEvent[] = []
      for (const line of lines.push(decoder.decode(chunk, { stream: true }))) {
        if (line === '') {
          const event = dispatch()
          if (event) events.push(event)
        } else if (!line.startsWith(':')) readField(...splitField(line))
      }
      return events
    },
  }
}

function splitField(line: string): [field: string, value: string] {
  const colon = line.indexOf(':')
  if (colon < 0) return [line, '']
  const value = line.slice(colon + 1)
  return [line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value]
}

/** Lines end in CR, LF or CRLF; a CR at the end of a chunk may have its LF at the start of the next. */
function createLineSplitter(): { push(text: string): string[] } {
  let rest: string[] = []
  let endedInCr = false
  return {
    push(text) {
      const from = endedInCr && text.startsWith('\n') ? 1 : 0
      if (text.length > 0) endedInCr = text.endsWith('\r')
      const parts = text.slice(from).split(/\r\n|\r|\n/)
      const complete = parts.slice(0, -1)
      // The rest is kept in pieces, so that a long line in many small chunks is joined once.
      if (complete.length > 0) {
        complete[0] = rest.join('') + complete[0]
        rest = []
      }
      rest.push(parts[parts.length - 1] ?? '')
      return complete
    },
  }
}
