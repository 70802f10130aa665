import type { WireSchedule } from '@headrace/wire'
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
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
import { StateChip } from '../state/state-chip.tsx'
import { RelativeTime } from '../time/time.tsx'
import { BackfillDialog } from './backfill-dialog.tsx'
import { ScheduleDialog } from './schedule-dialog.tsx'
import { inZone } from './schedule-draft.ts'
import './schedules.css'

/** What is started by the clock: when next, and how it went last. */
export function SchedulesPage() {
  const { loadable, reload } = useLoaded('schedules', () => headrace.schedules.list())
  const mayOperate = useMay('operate')
  const [isMaking, setMaking] = useState(false)
  useEvery(LOOK_EVERY_MS, reload)
  return (
    <>
      <PageHead
        title="Schedules"
        aside={
          mayOperate ? (
            <button type="button" className="primary" onClick={() => setMaking(true)}>
              New schedule
            </button>
          ) : null
        }
      />
      <Section title="Schedules">
        <Loaded of={loadable} what="the schedules" onRetry={reload}>
          {(schedules) => <Schedules schedules={schedules} mayOperate={mayOperate} onChanged={reload} />}
        </Loaded>
      </Section>
      <ScheduleDialog isOpen={isMaking} onClose={() => setMaking(false)} onStored={reload} />
    </>
  )
}

type Actions = { readonly mayOperate: boolean; readonly onChanged: () => void }

function Schedules(props: Actions & { readonly schedules: readonly WireSchedule[] }) {
  if (props.schedules.length === 0) {
    return (
      <p className="muted">
        Nothing is started by the clock. A program brings schedules along, or they are made here, by{' '}
        <code>headrace schedules put</code> or over HTTP.
      </p>
    )
  }
  return (
    <ScrollRegion className="table-scroll" label="Schedules">
      <table className="data-table">
        <thead>
          <tr>
            <th scope="col">Schedule</th>
            <th scope="col">When</th>
            <th scope="col">Next</th>
            <th scope="col">Last run</th>
            <th scope="col" className="number">
              Fired
            </th>
            <th scope="col" className="number">
              Skipped
            </th>
            {props.mayOperate ? <th scope="col">Change</th> : null}
          </tr>
        </thead>
        <tbody>
          {props.schedules.map((schedule) => (
            <ScheduleRow key={schedule.name} schedule={schedule} {...props} />
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  )
}

function ScheduleRow(props: Actions & { readonly schedule: WireSchedule }) {
  const { schedule } = props
  const { name, process, timeZone = 'UTC', lastAt, lastJob } = schedule
  return (
    <tr>
      <th scope="row">
        <Link href={`/jobs?tag=${encodeURIComponent(`schedule:${name}`)}`} title="Its runs">
          {name}
        </Link>
        <p className="muted schedule-note">
          {process}
          {schedule.isDeclared ? ', brought along by a program' : ''}
        </p>
      </th>
      <td className="no-wrap">
        <code>{schedule.cron}</code>
        <p className="muted schedule-note">{timeZone}</p>
      </td>
      <td>
        <Next schedule={schedule} timeZone={timeZone} />
      </td>
      <td className="no-wrap">
        {lastJob ? (
          <Link href={`/jobs/${lastJob.jobID}`} aria-label={`The last run of ${name}, ${lastJob.state}`}>
            <StateChip state={lastJob.state} />
          </Link>
        ) : null}{' '}
        {lastAt ? <RelativeTime at={lastAt} /> : <span className="muted">none yet</span>}
      </td>
      <td className="number">{schedule.fired.toLocaleString()}</td>
      <td className="number">{schedule.skipped.toLocaleString()}</td>
      {props.mayOperate ? (
        <td>
          <ScheduleActions schedule={schedule} onChanged={props.onChanged} />
        </td>
      ) : null}
    </tr>
  )
}

/** The next instant, and behind it the four after that, as the clocks of the schedule's zone show them. */
function Next({ schedule, timeZone }: { readonly schedule: WireSchedule; readonly timeZone: string }) {
  const [next, ...later] = schedule.nextRuns
  if (schedule.paused) {
    return (
      <span className="going-chip" data-going="held">
        paused
      </span>
    )
  }
  if (next === undefined) return <span className="muted">none</span>
  return (
    <>
      <span className="no-wrap">{inZone(next, timeZone)}</span>{' '}
      <span className="muted no-wrap">
        <RelativeTime at={next} />
      </span>
      {later.length > 0 ? (
        <details className="schedule-note">
          <summary aria-label={`The next ones of ${schedule.name}`}>and then</summary>
          <ol>
            {later.map((at) => (
              <li key={at}>{inZone(at, timeZone)}</li>
            ))}
          </ol>
        </details>
      ) : null}
    </>
  )
}

type Asked = 'run' | 'backfill' | 'edit' | 'delete'

function ScheduleActions({ schedule, onChanged }: { readonly schedule: WireSchedule; readonly onChanged: () => void }) {
  const { name, paused } = schedule
  const [asked, setAsked] = useState<Asked>()
  const { isBusy, refusal, act } = useAction()
  const [, navigate] = useLocation()
  const close = () => setAsked(undefined)
  const { schedules } = headrace

  const toggle = () =>
    act(async () => {
      await (paused ? schedules.resume(name) : schedules.pause(name))
      announce(`Schedule ${name} is ${paused ? 'going again' : 'paused'}.`)
      onChanged()
    })
  const run = () =>
    act(async () => {
      const job = await schedules.run(name)
      announce(`${name} was started.`)
      navigate(`/jobs/${job.id}`)
    })
  const remove = () =>
    act(async () => {
      await schedules.delete(name)
      announce(`Schedule ${name} is deleted.`)
      onChanged()
    })
  const button = (label: string, onClick: () => void) => (
    <button type="button" className="small" disabled={isBusy} aria-label={`${label} ${name}`} onClick={onClick}>
      {label}
    </button>
  )

  return (
    <div className="row-actions">
      {button(paused ? 'Resume' : 'Pause', toggle)}
      {button('Run now', () => setAsked('run'))}
      {button('Fill in', () => setAsked('backfill'))}
      {button('Edit', () => setAsked('edit'))}
      {button('Delete', () => setAsked('delete'))}
      {refusal ? <Refusal {...refusal} /> : null}
      <ConfirmDialog
        isOpen={asked === 'run'}
        title={`Run ${name} now?`}
        keep="Not now"
        confirm="Run it now"
        onClose={close}
        onConfirm={run}
      >
        <p>
          <strong>{schedule.process}</strong> is started at once, beside whatever runs of it. The schedule goes on as it
          is.
        </p>
      </ConfirmDialog>
      <ConfirmDialog
        isOpen={asked === 'delete'}
        title={`Delete the schedule ${name}?`}
        confirm="Delete the schedule"
        onClose={close}
        onConfirm={remove}
      >
        <p>
          Nothing is started by it any more. The jobs that it made stay.
          {schedule.isDeclared ? ' The program that brings it along stores it again when it starts.' : ''}
        </p>
      </ConfirmDialog>
      <BackfillDialog name={name} isOpen={asked === 'backfill'} onClose={close} />
      <ScheduleDialog schedule={schedule} isOpen={asked === 'edit'} onClose={close} onStored={onChanged} />
    </div>
  )
}
