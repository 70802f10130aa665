import type { WorkerList } from '@headrace/wire'
import { useEffect, useRef } from 'react'
import { Link } from 'wouter'
import { headrace } from '../data/headrace.ts'
import { useLoaded } from '../data/use-loaded.ts'
import { ScrollRegion } from '../look/scroll-region.tsx'
import { Loaded, PageHead } from '../shell/page.tsx'
import { Section } from '../shell/section.tsx'
import { duration } from '../time/instant.ts'
import { useNow } from '../time/now.ts'
import { RelativeTime } from '../time/time.tsx'
import { type QueueWithSlots, queuesWithSlots } from './queues.ts'
import './workers.css'

const LOOK_EVERY_MS = 2_000

export function WorkersPage() {
  const queues = useLoaded('queues', () => headrace.queues())
  const workers = useLoaded('workers', () => headrace.workers())
  useEvery(LOOK_EVERY_MS, () => {
    queues.reload()
    workers.reload()
  })
  return (
    <>
      <PageHead title="Queues & workers" />
      <Section title="Queues">
        <Loaded of={queues.loadable} what="the queues" onRetry={queues.reload}>
          {(list) => (
            <Queues queues={queuesWithSlots(list, workers.loadable.state === 'ready' ? workers.loadable.value : [])} />
          )}
        </Loaded>
      </Section>
      <Section title="Workers">
        <Loaded of={workers.loadable} what="the workers" onRetry={workers.reload}>
          {(list) => <Workers workers={list} />}
        </Loaded>
      </Section>
    </>
  )
}

/** Counts and heartbeats have no events; a look every two seconds, while somebody looks. */
function useEvery(everyMs: number, look: () => void) {
  const latest = useRef(look)
  latest.current = look
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) latest.current()
    }, everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
}

function Queues(props: { readonly queues: readonly QueueWithSlots[] }) {
  if (props.queues.length === 0)
    return <p className="muted">There is no queue yet. One comes into being when a job or a worker names it.</p>
  const deepest = Math.max(1, ...props.queues.map((queue) => queue.waiting + queue.scheduled))
  return (
    <ScrollRegion className="table-scroll" label="Queues">
      <table className="data-table">
        <thead>
          <tr>
            <th scope="col">Queue</th>
            <th scope="col" className="number">
              Waiting
            </th>
            <th scope="col" className="number">
              Scheduled
            </th>
            <th scope="col" className="number">
              Running
            </th>
            <th scope="col" className="number">
              Slots
            </th>
            <th scope="col">Depth</th>
          </tr>
        </thead>
        <tbody>
          {props.queues.map((queue) => (
            <tr key={queue.queue}>
              <th scope="row">
                <Link href={`/jobs?queue=${encodeURIComponent(queue.queue)}&children=shown`}>{queue.queue}</Link>
              </th>
              <td className="number">{queue.waiting.toLocaleString()}</td>
              <td className="number">{queue.scheduled.toLocaleString()}</td>
              <td className="number">{queue.running.toLocaleString()}</td>
              <td className="number">
                {queue.slots === 0 ? <span title="No worker takes jobs of this queue">none</span> : queue.slots}
              </td>
              <td>
                <span className="depth" aria-hidden="true">
                  <span className="depth-waiting" style={{ width: `${(queue.waiting / deepest) * 100}%` }} />
                  <span className="depth-scheduled" style={{ width: `${(queue.scheduled / deepest) * 100}%` }} />
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
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
