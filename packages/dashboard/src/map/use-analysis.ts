import type { Json, StatusInfo } from '@headrace/wire'
import { useEffect, useState } from 'react'
import { headrace } from '../data/headrace.ts'
import { asError } from '../data/loadable.ts'
import { isEnded } from '../state/shown-state.ts'

/** What is known of the job that the map shows. */
export type Analysis =
  | { readonly state: 'none' }
  | { readonly state: 'loading' }
  | { readonly state: 'following'; readonly job: StatusInfo }
  | { readonly state: 'ended'; readonly job: StatusInfo }
  | { readonly state: 'ready'; readonly job: StatusInfo; readonly result: Json }
  | { readonly state: 'failed'; readonly error: Error }

/** Follows a job to its result. Another id takes its place at once, and what the former one still tells is dropped. */
export function useAnalysis(id: string | undefined): Analysis {
  const [held, setHeld] = useState<{ readonly id: string | undefined; readonly analysis: Analysis }>({
    id,
    analysis: START,
  })
  useEffect(() => {
    if (id === undefined) return
    let isGone = false
    const show = (analysis: Analysis) => {
      if (!isGone) setHeld({ id, analysis })
    }
    const handle = headrace.job(id)
    const onStatus = (job: StatusInfo) => {
      if (!isEnded(job)) return show({ state: 'following', job })
      show({ state: 'ended', job })
      if (job.state !== 'succeeded') return
      handle.result().then(
        (result) => show({ state: 'ready', job, result }),
        (thrown) => show({ state: 'failed', error: asError(thrown) }),
      )
    }
    const stop = handle.subscribe(onStatus, (thrown) => show({ state: 'failed', error: asError(thrown) }))
    return () => {
      isGone = true
      stop()
    }
  }, [id])
  if (id === undefined) return { state: 'none' }
  return held.id === id && held.analysis.state !== 'none' ? held.analysis : { state: 'loading' }
}

const START: Analysis = { state: 'none' }
