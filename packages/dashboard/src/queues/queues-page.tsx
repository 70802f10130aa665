import type { Quantiles } from '@headrace/wire'
import { useState } from 'react'
import { Link } from 'wouter'
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
import { RelativeTime } from '../time/time.tsx'
import { QueueSettings } from './queue-settings.tsx'
import { type QueueWithSlots, queuesWithSlots, rateText } from './queues.ts'
import './queues.css'

/** What waits and runs in each queue, for how long, and how each is set. */
export function QueuesPage() {
  const { loadable, reload } = useLoaded('queues', loadQueues)
  const mayOperate = useMay('operate')
  useEvery(LOOK_EVERY_MS, reload)
  return (
    <>
      <PageHead title="Queues" />
      <Section title="Queues">
        <Loaded of={loadable} what="the queues" onRetry={reload}>
          {(queues) => <Queues queues={queues} mayOperate={mayOperate} onChanged={reload} />}
        </Loaded>
      </Section>
    </>
  )
}

async function loadQueues(): Promise<readonly QueueWithSlots[]> {
  const [queues, workers] = await Promise.all([headrace.queues(), headrace.workers()])
  return queuesWithSlots(queues, workers)
}

type Actions = { readonly mayOperate: boolean; readonly onChanged: () => void }

function Queues(props: Actions & { readonly queues: readonly QueueWithSlots[] }) {
  if (props.queues.length === 0)
    return <p className="muted">There is no queue yet. One comes into being when a job or a worker names it.</p>
  const deepest = Math.max(1, ...props.queues.map((queue) => queue.waiting + queue.scheduled))
  return (
    <>
      <ScrollRegion className="table-scroll" label="Queues">
        <table className="data-table">
          <thead>
            <tr>
              <th scope="col">Queue</th>
              <th scope="col">State</th>
              {props.mayOperate ? <th scope="col">Change</th> : null}
              <NumberHead>Waiting</NumberHead>
              <th scope="col">First due</th>
              <NumberHead>Scheduled</NumberHead>
              <NumberHead>At a limit</NumberHead>
              <NumberHead>Running</NumberHead>
              <NumberHead>Slots</NumberHead>
              <NumberHead>Waited</NumberHead>
              <NumberHead>Ran</NumberHead>
            </tr>
          </thead>
          <tbody>
            {props.queues.map((queue) => (
              <QueueRow key={queue.queue} queue={queue} deepest={deepest} {...props} />
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      <p className="muted">
        Waited and ran: the median, and behind it what 95 of 100 jobs kept to, of the newest 500 jobs that have ended.
      </p>
    </>
  )
}

function NumberHead(props: { readonly children: string }) {
  return (
    <th scope="col" className="number">
      {props.children}
    </th>
  )
}

function QueueRow(props: Actions & { readonly queue: QueueWithSlots; readonly deepest: number }) {
  const { queue, deepest } = props
  return (
    <tr>
      <th scope="row">
        <Link href={`/jobs?queue=${encodeURIComponent(queue.queue)}&children=shown`}>{queue.queue}</Link>
        <Settings of={queue} />
      </th>
      <td>
        <span className="going-chip" data-going={queue.paused ? 'held' : undefined}>
          {queue.paused ? 'paused' : 'open'}
        </span>
      </td>
      {props.mayOperate ? (
        <td>
          <QueueActions queue={queue} onChanged={props.onChanged} />
        </td>
      ) : null}
      <td className="number">
        {queue.waiting.toLocaleString()}
        <span className="depth" aria-hidden="true">
          <span className="depth-waiting" style={{ width: `${(queue.waiting / deepest) * 100}%` }} />
          <span className="depth-scheduled" style={{ width: `${(queue.scheduled / deepest) * 100}%` }} />
        </span>
      </td>
      <td className="no-wrap">{queue.oldestDueAt ? <RelativeTime at={queue.oldestDueAt} /> : null}</td>
      <td className="number">{queue.scheduled.toLocaleString()}</td>
      <td className="number">{queue.blocked.toLocaleString()}</td>
      <td className="number">{queue.running.toLocaleString()}</td>
      <td className="number">
        {queue.slots === 0 ? <span title="No worker takes jobs of this queue">none</span> : queue.slots}
      </td>
      <td className="number no-wrap">
        <Times of={queue.times?.waitMs} />
      </td>
      <td className="number no-wrap">
        <Times of={queue.times?.runMs} />
      </td>
    </tr>
  )
}

function Times(props: { readonly of: Quantiles | undefined }) {
  if (props.of === undefined) return null
  return (
    <>
      {duration(props.of.p50)} <span className="muted">{duration(props.of.p95)}</span>
    </>
  )
}

function Settings({ of: { rate, fair, shares } }: { readonly of: QueueWithSlots }) {
  if (rate === undefined && !fair) return null
  const turns = fair ? `owners take turns${shares ? ' by weight' : ''}` : ''
  return <p className="queue-settings muted">{[rate ? rateText(rate) : '', turns].filter(Boolean).join(', ')}</p>
}

function QueueActions(props: { readonly queue: QueueWithSlots; readonly onChanged: () => void }) {
  const { queue, onChanged } = props
  const [asking, setAsking] = useState<'pause' | 'settings'>()
  const { isBusy, refusal, act } = useAction()
  const toggle = () =>
    act(async () => {
      await headrace.configureQueue(queue.queue, { paused: !queue.paused })
      announce(`Queue ${queue.queue} is ${queue.paused ? 'open again' : 'paused'}.`)
      onChanged()
    })
  return (
    <div className="row-actions">
      {refusal ? <Refusal {...refusal} /> : null}
      <button
        type="button"
        className="small"
        disabled={isBusy}
        aria-label={`${queue.paused ? 'Resume' : 'Pause'} ${queue.queue}`}
        onClick={() => setAsking('pause')}
      >
        {queue.paused ? 'Resume' : 'Pause'}
      </button>
      <button
        type="button"
        className="small"
        aria-label={`Settings of ${queue.queue}`}
        onClick={() => setAsking('settings')}
      >
        Settings
      </button>
      <ConfirmDialog
        isOpen={asking === 'pause'}
        title={`${queue.paused ? 'Resume' : 'Pause'} the queue ${queue.queue}?`}
        keep={queue.paused ? 'Leave it paused' : 'Leave it open'}
        confirm={queue.paused ? 'Resume the queue' : 'Pause the queue'}
        onClose={() => setAsking(undefined)}
        onConfirm={toggle}
      >
        <p>
          {queue.paused
            ? `Its ${queue.waiting.toLocaleString()} waiting jobs are begun as workers have slots for them.`
            : `None of its ${queue.waiting.toLocaleString()} waiting jobs is begun until it is resumed, nor any that comes meanwhile. What runs goes on.`}
        </p>
      </ConfirmDialog>
      <QueueSettings
        queue={queue}
        isOpen={asking === 'settings'}
        onClose={() => setAsking(undefined)}
        onChanged={onChanged}
      />
    </div>
  )
}
