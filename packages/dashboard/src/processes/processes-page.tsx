import { Link } from 'wouter'
import { headrace } from '../data/headrace.ts'
import { useLoaded } from '../data/use-loaded.ts'
import { Loaded, PageHead } from '../shell/page.tsx'
import './processes.css'

export function ProcessesPage() {
  const { loadable, reload } = useLoaded('processes', () => headrace.processes())
  return (
    <>
      <PageHead title="Processes" />
      <p className="lead">What this server can run. Each takes a JSON input and becomes a job.</p>
      <Loaded of={loadable} what="the processes" onRetry={reload}>
        {(processes) =>
          processes.length === 0 ? (
            <p className="muted">This server has no public task or workflow.</p>
          ) : (
            <ul className="process-list">
              {processes.map((process) => (
                <li key={process.id}>
                  <Link href={`/processes/${encodeURIComponent(process.id)}`}>
                    <strong>{process.id}</strong>
                  </Link>
                  {process.title === process.id ? null : <span>{process.title}</span>}
                  <span className="muted">{process.description}</span>
                  <Link
                    className="process-jobs"
                    href={`/jobs?process=${encodeURIComponent(process.id)}`}
                    aria-label={`Jobs of ${process.id}`}
                  >
                    jobs
                  </Link>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </>
  )
}
