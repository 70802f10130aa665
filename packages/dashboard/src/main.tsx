import { lazy, StrictMode, Suspense } from 'react'
import { createRoot } from 'react-dom/client'
import { Link, Redirect, Route, Router, Switch } from 'wouter'
import { JobPage } from './job/job-page.tsx'
import { JobsPage } from './jobs/jobs-page.tsx'
import './look/look.css'
import { ModelsPage } from './models/models-page.tsx'
import { ProcessPage } from './processes/process-page.tsx'
import { ProcessesPage } from './processes/processes-page.tsx'
import { QueuesPage } from './queues/queues-page.tsx'
import { SchedulesPage } from './schedules/schedules-page.tsx'
import { PageHead } from './shell/page.tsx'
import { Shell } from './shell/shell.tsx'
import { WorkersPage } from './workers/workers-page.tsx'

const DocumentsPage = lazy(() => import('./documents/documents-page.tsx'))
const DocumentPage = lazy(() => import('./documents/document-page.tsx'))
const MapPage = lazy(() => import('./map/map-page.tsx'))

function App() {
  return (
    <Router base="/app">
      <Shell>
        <Suspense fallback={<p className="loading">Loading the page…</p>}>
          <Switch>
            <Route path="/jobs" component={JobsPage} />
            <Route path="/jobs/:id">{(params) => <JobPage key={params.id} id={params.id} />}</Route>
            <Route path="/documents" component={DocumentsPage} />
            <Route path="/documents/:id">{(params) => <DocumentPage key={params.id} id={params.id} />}</Route>
            <Route path="/map" component={MapPage} />
            <Route path="/models" component={ModelsPage} />
            <Route path="/processes" component={ProcessesPage} />
            <Route path="/processes/:id">{(params) => <ProcessPage key={params.id} id={params.id} />}</Route>
            <Route path="/queues" component={QueuesPage} />
            <Route path="/schedules" component={SchedulesPage} />
            <Route path="/workers" component={WorkersPage} />
            <Route path="/">
              <Redirect to="/jobs" replace />
            </Route>
            <Route>
              <PageHead title="No such page" />
              <p>
                There is nothing at this address. <Link href="/jobs">Go to the jobs</Link>.
              </p>
            </Route>
          </Switch>
        </Suspense>
      </Shell>
    </Router>
  )
}

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
