import type { WireWorker } from '@headrace/wire'
import { useState } from 'react'
import { headrace } from '../data/headrace.ts'
import { useAction } from '../data/use-action.ts'
import { LOOK_EVERY_MS, useEvery } from '../data/use-every.ts'
import { useLoaded } from '../data/use-loaded.ts'
import { useMay } from '../data/use-may.ts'
import { ScrollRegion } from '../look/scroll-region.tsx'
import { announce } from '../shell/announcer.tsx'
import { ConfirmDialog } from '../shell/dialog.tsx'
import { Loaded, PageHead } from '../shell/page.tsx'
import { Refusal } from '../shell/refusal.tsx'
import { Section } from '../shell/section.tsx'
import { duration } from '../time/instant.ts'
import { useNow } from '../time/now.ts'
import { RelativeTime } from '../time/time.tsx'
import { Deployments } from './deployments.tsx'
import { Limits } from './limits.tsx'
import './workers.css'

export function WorkersPage() {
  const workers = useLoaded('workers', () => headrace.workers())
  const mayOperate = useMay('operate')
  useEvery(LOOK_EVERY_MS, workers.reload)
  return (
    <>
      <PageHead title="Workers" />
      <Section title="Workers">
        <Loaded of={workers.loadable} what="the workers" onRetry={workers.reload}>
          {(list) => <Workers workers={list} mayOperate={mayOperate} onChanged={workers.reload} />}
        </Loaded>
      </Section>
      <Deployments mayOperate={mayOperate} />
      <Limits />
    </>
  )
}

function Workers(props: {
  readonly workers: readonly WireWorker[]
  readonly mayOperate: boolean
  readonly onChanged: () => void
}) {
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
            {props.mayOperate ? <th scope="col">Change</th> : null}
            <th scope="col">Where</th>
            <th scope="col">Slots</th>
            <th scope="col" className="number">
              Running
            </th>
            <th scope="col">Labels</th>
            <th scope="col">Free of its resources</th>
            <th scope="col">Started</th>
          </tr>
        </thead>
        <tbody>
          {props.workers.map((worker) => (
            <tr key={worker.id}>
              <th scope="row">
                {worker.name}
                <p className="job-id muted worker-note">{worker.id.slice(-12)}</p>
                {worker.deployment ? <p className="muted worker-note">deployment {worker.deployment}</p> : null}
              </th>
              <td>
                {worker.draining ? (
                  <span className="going-chip" data-going="held">
                    draining
                  </span>
                ) : (
                  <Lease until={worker.leaseUntil} />
                )}
              </td>
              {props.mayOperate ? (
                <td>
                  <DrainButton worker={worker} onChanged={props.onChanged} />
                </td>
              ) : null}
              <td>
                {worker.host.split('/')[0]} <span className="muted">process {worker.pid}</span>
              </td>
              <td>
                {Object.entries(worker.queues).map(([queue, slots]) => (
                  <span key={queue} className="slots">
                    {queue} <strong>{slots}</strong>
                  </span>
                ))}
              </td>
              <td className="number">{worker.running}</td>
              <td>
                {worker.labels.map((label) => (
                  <span key={label} className="tag">
                    {label}
                  </span>
                ))}
              </td>
              <td>
                <ul className="resources">
                  {Object.entries(worker.resources).map(([name, { total, free }]) => (
                    <li key={name}>
                      {name} <strong>{free.toLocaleString()}</strong>
                      <span className="muted"> of {total.toLocaleString()}</span>
                    </li>
                  ))}
                </ul>
              </td>
              <td className="no-wrap">
                <RelativeTime at={worker.startedAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  )
}

function DrainButton({ worker, onChanged }: { readonly worker: WireWorker; readonly onChanged: () => void }) {
  const [isAsking, setAsking] = useState(false)
  const { isBusy, refusal, act } = useAction()
  const drain = () =>
    act(async () => {
      await headrace.drainWorker(worker.id)
      announce(`Worker ${worker.name} takes no more jobs.`)
      onChanged()
    })
  return (
    <>
      <button
        type="button"
        className="small"
        disabled={isBusy || worker.draining}
        aria-label={`Drain ${worker.name}`}
        onClick={() => setAsking(true)}
      >
        Drain
      </button>
      {refusal ? <Refusal {...refusal} /> : null}
      <ConfirmDialog
        isOpen={isAsking}
        title={`Drain the worker ${worker.name}?`}
        keep="Leave it working"
        confirm="Drain the worker"
        onClose={() => setAsking(false)}
        onConfirm={drain}
      >
        <p>
          It takes no more jobs. What it runs has 30 seconds to end; the rest goes back to the line unharmed. Then it
          stops, and somebody has to start it again.
        </p>
      </ConfirmDialog>
    </>
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
