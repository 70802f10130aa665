import type { LimitHolders, StatusInfo } from '@headrace/wire'
import { useState } from 'react'
import { Link } from 'wouter'
import { headrace } from '../data/headrace.ts'
import { LOOK_EVERY_MS, useEvery } from '../data/use-every.ts'
import { useLoaded } from '../data/use-loaded.ts'
import { ScrollRegion } from '../look/scroll-region.tsx'
import { Dialog } from '../shell/dialog.tsx'
import { Loaded } from '../shell/page.tsx'
import { Section } from '../shell/section.tsx'
import { RelativeTime } from '../time/time.tsx'

/** The limits by key of which jobs live, each with who holds it and who waits. */
export function Limits() {
  const { loadable, reload } = useLoaded('limits', () => headrace.limits())
  const [shown, setShown] = useState<string>()
  useEvery(LOOK_EVERY_MS, reload)
  return (
    <Section title="Limits in force">
      <Loaded of={loadable} what="the limits" onRetry={reload}>
        {(limits) =>
          limits.length === 0 ? (
            <p className="muted">No job that lives is under a limit.</p>
          ) : (
            <ScrollRegion className="table-scroll" label="Limits">
              <table className="data-table">
                <thead>
                  <tr>
                    <th scope="col">Limit</th>
                    <th scope="col" className="number">
                      At a time
                    </th>
                    <th scope="col" className="number">
                      Held
                    </th>
                    <th scope="col" className="number">
                      Waiting for it
                    </th>
                    <th scope="col">Who</th>
                  </tr>
                </thead>
                <tbody>
                  {limits.map((limit) => (
                    <tr key={limit.key}>
                      <th scope="row">{limit.key}</th>
                      <td className="number">{limit.max.toLocaleString()}</td>
                      <td className="number">{limit.taken.toLocaleString()}</td>
                      <td className="number">{limit.blocked.toLocaleString()}</td>
                      <td>
                        <button
                          type="button"
                          className="small"
                          aria-label={`Who holds ${limit.key}`}
                          onClick={() => setShown(limit.key)}
                        >
                          Jobs
                        </button>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </ScrollRegion>
          )
        }
      </Loaded>
      <Dialog isOpen={shown !== undefined} onClose={() => setShown(undefined)} title={`The limit ${shown}`}>
        {shown === undefined ? null : <Holders limitKey={shown} />}
        <div className="dialog-actions">
          <button type="button" onClick={() => setShown(undefined)}>
            Close
          </button>
        </div>
      </Dialog>
    </Section>
  )
}

function Holders({ limitKey }: { readonly limitKey: string }) {
  const { loadable, reload } = useLoaded<LimitHolders>(`limit ${limitKey}`, () => headrace.limit(limitKey))
  useEvery(LOOK_EVERY_MS, reload)
  return (
    <Loaded of={loadable} what="its jobs" onRetry={reload}>
      {({ holders, waiters }) => (
        <>
          <h3>Hold it</h3>
          <Jobs jobs={holders} />
          <h3>Wait for it</h3>
          <Jobs jobs={waiters} />
        </>
      )}
    </Loaded>
  )
}

function Jobs({ jobs }: { readonly jobs: readonly StatusInfo[] }) {
  if (jobs.length === 0) return <p className="muted">None.</p>
  return (
    <ul className="plain-list">
      {jobs.map((job) => (
        <li key={job.jobID}>
          <Link href={`/jobs/${job.jobID}`}>
            {job.processID} {job.jobID.slice(-12)}
          </Link>{' '}
          <span className="muted">
            {job.state}, submitted <RelativeTime at={job.created} />
          </span>
        </li>
      ))}
    </ul>
  )
}
