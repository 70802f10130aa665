import { useMemo } from 'react'
import { Link, useSearchParams } from 'wouter'
import { ConnectionNote } from '../live/connection-note.tsx'
import { Loaded, PageHead } from '../shell/page.tsx'
import { FilterBar } from './filter-bar.tsx'
import { filterFromQuery, filterToQuery, isFiltering, type JobFilter } from './job-filter.ts'
import { JobTable } from './job-table.tsx'
import { RedriveBar } from './redrive-bar.tsx'
import { useJobs } from './use-jobs.ts'
import './jobs.css'

export function JobsPage() {
  const [query, setQuery] = useSearchParams()
  const text = query.toString()
  const filter = useMemo(() => filterFromQuery(new URLSearchParams(text)), [text])
  const live = useJobs(filter)
  const setFilter = (next: JobFilter) => setQuery(filterToQuery(next), { replace: true })

  return (
    <div className="jobs-page">
      <PageHead title="Jobs" aside={<ConnectionNote connection={live.connection} />} />
      <FilterBar filter={filter} onChange={setFilter} />
      {/* What was said of one filter says nothing of the next. */}
      <RedriveBar key={text} filter={filter} />
      <Loaded of={live.loadable} what="the jobs" onRetry={live.reload}>
        {({ jobs, next }) =>
          jobs.length === 0 && next === undefined ? (
            <NoJobs filter={filter} onClear={() => setFilter({ children: filter.children })} />
          ) : (
            <JobTable
              jobs={jobs}
              hasMore={next !== undefined}
              isLoadingMore={live.isLoadingMore}
              onMore={live.loadMore}
              onTag={(tag) => setFilter({ ...filter, tag })}
            />
          )
        }
      </Loaded>
    </div>
  )
}

function NoJobs(props: { readonly filter: JobFilter; readonly onClear: () => void }) {
  if (isFiltering(props.filter)) {
    return (
      <div className="empty">
        <h2>No job matches</h2>
        <p>Nothing in the whole history has all of these properties.</p>
        <button type="button" onClick={props.onClear}>
          Clear the filters
        </button>
      </div>
    )
  }
  return (
    <div className="empty">
      <h2>No jobs yet</h2>
      <p>A job is one request to run a task or a workflow. Start a first one:</p>
      <ul>
        <li>
          <Link href="/map">Open the map</Link>, draw an area and analyse its land cover;
        </li>
        <li>
          <Link href="/processes">pick a process</Link> and give it an input;
        </li>
        <li>
          or run <code>npx headrace demo</code> in a terminal, and watch this page.
        </li>
      </ul>
    </div>
  )
}
