import type { WireDeployment } from '@headrace/wire'
import { useState } from 'react'
import { headrace } from '../data/headrace.ts'
import { useAction } from '../data/use-action.ts'
import { LOOK_EVERY_MS, useEvery } from '../data/use-every.ts'
import { useLoaded } from '../data/use-loaded.ts'
import { ScrollRegion } from '../look/scroll-region.tsx'
import { announce } from '../shell/announcer.tsx'
import { ConfirmDialog } from '../shell/dialog.tsx'
import { Loaded } from '../shell/page.tsx'
import { Refusal } from '../shell/refusal.tsx'
import { Section } from '../shell/section.tsx'
import { RelativeTime } from '../time/time.tsx'

/** The stacks: which one takes new jobs, and which is on its way out. */
export function Deployments({ mayOperate }: { readonly mayOperate: boolean }) {
  const { loadable, reload } = useLoaded('deployments', () => headrace.deployments())
  useEvery(LOOK_EVERY_MS, reload)
  return (
    <Section title="Deployments">
      <Loaded of={loadable} what="the deployments" onRetry={reload}>
        {(deployments) =>
          deployments.length === 0 ? (
            <p className="muted">
              Every worker takes every job. <code>headrace worker --deployment blue</code> starts one of a stack of its
              own.
            </p>
          ) : (
            <ScrollRegion className="table-scroll" label="Deployments">
              <table className="data-table">
                <thead>
                  <tr>
                    <th scope="col">Deployment</th>
                    <th scope="col">State</th>
                    <th scope="col" className="number">
                      Workers
                    </th>
                    <th scope="col" className="number">
                      Waiting
                    </th>
                    <th scope="col" className="number">
                      Running
                    </th>
                    <th scope="col">Changed</th>
                    {mayOperate ? <th scope="col">Change</th> : null}
                  </tr>
                </thead>
                <tbody>
                  {deployments.map((deployment) => (
                    <tr key={deployment.name}>
                      <th scope="row">{deployment.name}</th>
                      <td>
                        <span className="going-chip" data-going={GOING[deployment.state]}>
                          {deployment.state}
                        </span>
                      </td>
                      <td className="number">{deployment.workers.toLocaleString()}</td>
                      <td className="number">{deployment.waiting.toLocaleString()}</td>
                      <td className="number">{deployment.running.toLocaleString()}</td>
                      <td>
                        <RelativeTime at={deployment.changedAt} />
                      </td>
                      {mayOperate ? (
                        <td>
                          <DeploymentActions deployment={deployment} onChanged={reload} />
                        </td>
                      ) : null}
                    </tr>
                  ))}
                </tbody>
              </table>
            </ScrollRegion>
          )
        }
      </Loaded>
    </Section>
  )
}

const GOING: Readonly<Record<WireDeployment['state'], 'held' | 'over' | undefined>> = {
  active: undefined,
  dark: 'over',
  draining: 'held',
  retired: 'over',
}

type Verb = 'promote' | 'drain' | 'retire'

const LABELS: Readonly<Record<Verb, string>> = { promote: 'Promote', drain: 'Drain', retire: 'Retire' }

function DeploymentActions(props: { readonly deployment: WireDeployment; readonly onChanged: () => void }) {
  const { deployment, onChanged } = props
  const { name, state, waiting, running } = deployment
  const [asked, setAsked] = useState<Verb>()
  const { isBusy, refusal, act } = useAction()
  const live = waiting + running
  const change = (verb: Verb) =>
    act(async () => {
      const after = await headrace.changeDeployment(name, verb, verb === 'retire' && live > 0 ? { force: true } : {})
      announce(`Deployment ${name} is ${after.state}.`)
      onChanged()
    })
  const offered: readonly Verb[] = [
    ...(state === 'active' ? [] : (['promote'] as const)),
    ...(state === 'draining' || state === 'retired' ? [] : (['drain'] as const)),
    ...(state === 'retired' ? [] : (['retire'] as const)),
  ]
  const effects: Readonly<Record<Verb, string>> = {
    promote: 'What names no deployment goes to it from now on, and the active one drains.',
    drain: 'It gets no new jobs, ends what it has, and retires by itself.',
    retire:
      live > 0 ? `Its ${live.toLocaleString()} jobs that have not ended are cancelled.` : 'It gets nothing any more.',
  }
  return (
    <div className="row-actions">
      {offered.map((verb) => (
        <button
          key={verb}
          type="button"
          className="small"
          disabled={isBusy}
          aria-label={`${LABELS[verb]} ${name}`}
          onClick={() => setAsked(verb)}
        >
          {LABELS[verb]}
        </button>
      ))}
      {refusal ? <Refusal {...refusal} /> : null}
      {asked ? (
        <ConfirmDialog
          isOpen
          title={`${LABELS[asked]} the deployment ${name}?`}
          keep="Leave it as it is"
          confirm={`${LABELS[asked]} the deployment`}
          onClose={() => setAsked(undefined)}
          onConfirm={() => change(asked)}
        >
          <p>{effects[asked]}</p>
        </ConfirmDialog>
      ) : null}
    </div>
  )
}
