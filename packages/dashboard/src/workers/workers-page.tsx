import type { WorkerList } from '@headrace/wire'
import { headrace } from '../data/headrace.ts'
import { LOOK_EVERY_MS, useEvery } from '../data/use-every.ts'
import { useLoaded } from '../data/use-loaded.ts'
import { ScrollRegion } from '../look/scroll-region.tsx'
import { Loaded, PageHead } from '../shell/page.tsx'
import { Section } from '../shell/section.tsx'
import { duration } from '../time/instant.ts'
import { useNow } from '../time/now.ts'
import { RelativeTime } from '../time/time.tsx'
import './workers.css'

export function WorkersPage() {
  const workers = useLoaded('workers', () => headrace.workers())
  useEvery(LOOK_EVERY_MS, workers.reload)
  return (
    <>
      <PageHead title="Workers" />
      <Section title="Workers">
        <Loaded of={workers.loadable} what="the workers" onRetry={workers.reload}>
          {(list) => <Workers workers={list} />}
        </Loaded>
      </Section>
    </>
  )
}

function Workers(props: { readonly workers: WorkerList['workers'] }) {
  if (props.workers.length === 0) {
    return (
      <div className="empty">
        <h3>No worker is running</h3>
        <p>
          Jobs are stored and wait. <code>headrace serve</code> starts a worker of its own; <code>headrace worker</code>{' '}
          starts another one, here or on another machine.
        </p>
      </div>
    )
  }
  return (
    <ScrollRegion className="table-scroll" label="Workers">
      <table className="data-table">
        <thead>
          <tr>
            <th scope="col">Worker</th>
            <th scope="col">Lease</th>
            <th scope="col">Host</th>
            <th scope="col" className="number">
              Process
            </th>
            <th scope="col">Slots</th>
            <th scope="col" className="number">
              Running
            </th>
            <th scope="col">Started</th>
          </tr>
        </thead>
        <tbody>
          {props.workers.map((worker) => (
            <tr key={worker.id}>
              <th scope="row">
                {worker.name} <span className="job-id muted">{worker.id.slice(-12)}</span>
              </th>
              <td>
                <Lease until={worker.leaseUntil} />
              </td>
              <td>{worker.host}</td>
              <td className="number">{worker.pid}</td>
              <td>
                {Object.entries(worker.queues).map(([queue, slots]) => (
                  <span key={queue} className="slots">
                    {queue} <strong>{slots}</strong>
                  </span>
                ))}
              </td>
              <td className="number">{worker.running}</td>
              <td>
                <RelativeTime at={worker.startedAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  )
}

/** A live worker renews its lease long before it ends; one that has ended means the worker is lost. */
function Lease(props: { readonly until: string }) {
  const leftMs = Date.parse(props.until) - useNow()
  return (
    <span
      className="lease"
      data-lapsed={leftMs <= 0 || undefined}
      title="A worker renews its lease all the time; one that lapses is lost."
    >
      {leftMs > 0 ? `alive, ${duration(leftMs)} left` : `lapsed ${duration(-leftMs)} ago`}
    </span>
  )
}
