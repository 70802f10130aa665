import type { RedriveQuery } from '@headrace/client'
import { useState } from 'react'
import { headrace } from '../data/headrace.ts'
import { asError } from '../data/loadable.ts'
import { announce } from '../shell/announcer.tsx'
import { ConfirmDialog } from '../shell/dialog.tsx'
import { type JobFilter, SINCE_MS } from './job-filter.ts'

/** One step is one transaction of the server. */
const STEP = 200
const COUNT_STEP = 1_000
/** Beyond it the exact number does not matter to whoever decides. */
const COUNT_MAX = 10_000

type Scene =
  | { readonly state: 'idle' }
  | { readonly state: 'counting' }
  | { readonly state: 'asking'; readonly count: number }
  | { readonly state: 'retrying'; readonly done: number }
  | { readonly state: 'said'; readonly text: string }

/** All failed jobs of the filter that were not retried yet, retried at once after a question that says how many. */
export function RedriveBar(props: { readonly filter: JobFilter }) {
  const [scene, setScene] = useState<Scene>({ state: 'idle' })
  const { filter } = props
  if (filter.state !== 'failed') return null
  const act = async (work: () => Promise<void>) => {
    try {
      await work()
    } catch (thrown) {
      setScene({ state: 'said', text: asError(thrown).message })
    }
  }
  const ask = () =>
    act(async () => {
      setScene({ state: 'counting' })
      const count = await countAll(queryOf(filter))
      if (count > 0) setScene({ state: 'asking', count })
      else setScene({ state: 'said', text: 'All failed jobs of this filter were retried already.' })
    })
  const retry = () =>
    act(async () => {
      setScene({ state: 'retrying', done: 0 })
      const { retried, refused } = await retryAll(queryOf(filter), (done) => setScene({ state: 'retrying', done }))
      const text = `Retried ${retried}.${refused > 0 ? ` ${refused} could not be retried.` : ''}`
      setScene({ state: 'said', text })
      announce(text)
    })
  const jobs = scene.state === 'asking' ? jobsText(scene.count) : ''
  return (
    <section className="redrive-bar" aria-label="Failed jobs">
      <button type="button" disabled={scene.state === 'counting' || scene.state === 'retrying'} onClick={ask}>
        Retry all failed…
      </button>
      <span className="muted" role="status">
        {scene.state === 'counting' ? 'Counting…' : null}
        {scene.state === 'retrying' ? `Retried ${scene.done}…` : null}
        {scene.state === 'said' ? scene.text : null}
      </span>
      <ConfirmDialog
        isOpen={scene.state === 'asking'}
        title={`Retry all ${jobs}?`}
        confirm={`Retry all ${jobs}`}
        onClose={() => setScene((now) => (now.state === 'asking' ? { state: 'idle' } : now))}
        onConfirm={retry}
      >
        <p>
          Each becomes a new job; workflows go on from the step that failed. Jobs that were retried before, and those
          that a workflow called, are left alone.
        </p>
      </ConfirmDialog>
    </section>
  )
}

function jobsText(count: number): string {
  return `${count > COUNT_MAX ? `${COUNT_MAX}+` : count} failed ${count === 1 ? 'job' : 'jobs'}`
}

async function countAll(query: RedriveQuery): Promise<number> {
  let count = 0
  for await (const step of steps(query, { limit: COUNT_STEP, dryRun: true })) {
    count += step.retried.length
    if (count > COUNT_MAX) break
  }
  return count
}

async function retryAll(query: RedriveQuery, onDone: (done: number) => void) {
  let [retried, refused] = [0, 0]
  for await (const step of steps(query, { limit: STEP, dryRun: false })) {
    retried += step.retried.length
    refused += step.refused.length
    onDone(retried)
  }
  return { retried, refused }
}

async function* steps(query: RedriveQuery, how: { readonly limit: number; readonly dryRun: boolean }) {
  let cursor: string | undefined
  do {
    const step = await headrace.redrive({ ...query, ...how, ...(cursor === undefined ? {} : { cursor }) })
    yield step
    cursor = step.next
  } while (cursor !== undefined)
}

function queryOf({ process, queue, tag, text, since }: JobFilter): RedriveQuery {
  return {
    ...(process === undefined ? {} : { process }),
    ...(queue === undefined ? {} : { queue }),
    ...(tag === undefined ? {} : { tag }),
    ...(text === undefined ? {} : { search: text }),
    ...(since === undefined ? {} : { since: new Date(Date.now() - SINCE_MS[since]) }),
  }
}
