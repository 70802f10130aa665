import type { StatusInfo } from '@headrace/wire'
import { Link } from 'wouter'
import { headrace } from '../data/headrace.ts'
import { LOOK_EVERY_MS, useEvery } from '../data/use-every.ts'
import { useLoaded } from '../data/use-loaded.ts'

/** Why a job waits, in one sentence, and where something can be done about it. */
export function WhyWaiting({ job }: { readonly job: StatusInfo }) {
  const { loadable, reload } = useLoaded(`why ${job.jobID} waits`, () => headrace.job(job.jobID).waiting())
  useEvery(LOOK_EVERY_MS, reload)
  if (loadable.state !== 'ready' || loadable.value === undefined) return null
  const { code, sentence } = loadable.value
  const place = PLACES.find(({ codes }) => codes.includes(code))
  return (
    <p className="note" role="status">
      <strong>Why it waits:</strong> {sentence} {place ? <Link href={place.href}>{place.name}</Link> : null}
    </p>
  )
}

const PLACES: readonly { readonly codes: readonly string[]; readonly href: string; readonly name: string }[] = [
  { codes: ['paused', 'rate'], href: '/queues', name: 'To the queues' },
  {
    codes: [
      'limit',
      'session',
      'slots',
      'needs',
      'no_worker',
      'no_worker_for_queue',
      'no_worker_for_task',
      'no_worker_for_deployment',
      'no_worker_for_labels',
      'no_worker_for_needs',
    ],
    href: '/workers',
    name: 'To the workers',
  },
]
