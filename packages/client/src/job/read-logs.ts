import type { LogLine, LogPage } from '@headrace/wire'
import type { Http } from '../http/http.ts'
import { watchJob } from './watch-job.ts'

export type LogOptions = {
  /** Goes on with what is logged from now on, until the job ends. */
  readonly follow?: boolean | undefined
  /** Only lines with a greater cursor. */
  readonly after?: number | undefined
  /** This level and the graver ones. */
  readonly level?: LogLine['level'] | undefined
  readonly contains?: string | undefined
  readonly attempt?: number | undefined
  /** Also the lines of the job's descendants. */
  readonly tree?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

const LINES_PER_PAGE = 1_000

/** The lines of one job, oldest first, each once; every one of them, however many there are. */
export async function* readLogs(http: Http, id: string, options: LogOptions): AsyncGenerator<LogLine, void> {
  let after = yield* readStored(http, id, options)
  if (!options.follow) return
  const { tree, signal } = options
  const watch = watchJob(http, id, { after, tree, signal, kinds: ['log'] })
  try {
    for (;;) {
      const wasOver = watch.isOver
      after = yield* readStored(http, id, { ...options, after })
      if (wasOver) return
      await watch.changed()
    }
  } finally {
    watch.stop()
  }
}

/** What is stored by now; returns the cursor to go on from. */
async function* readStored(http: Http, id: string, options: LogOptions): AsyncGenerator<LogLine, number> {
  let after = options.after ?? 0
  for (;;) {
    const page = await readPage(http, id, { ...options, after })
    yield* page.lines
    after = Math.max(after, page.next)
    if (page.lines.length < LINES_PER_PAGE) return after
  }
}

function readPage(http: Http, id: string, options: LogOptions): Promise<LogPage> {
  const { after, level, contains, attempt, tree, signal, follow } = options
  return http.json<LogPage>({
    path: `/jobs/${encodeURIComponent(id)}/logs`,
    query: {
      after,
      limit: LINES_PER_PAGE,
      level: level && levelsFrom(level),
      contains,
      attempt,
      tree: tree ? true : undefined,
    },
    signal,
    ...(follow ? { retryForMs: Number.POSITIVE_INFINITY } : {}),
  })
}

const LEVELS: readonly LogLine['level'][] = ['debug', 'info', 'warn', 'error']

/** The server takes the levels one by one. */
function levelsFrom(level: LogLine['level']): string {
  return LEVELS.slice(LEVELS.indexOf(level)).join(',')
}
