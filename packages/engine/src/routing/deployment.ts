import { assertNever } from '../brand.ts'

// A deployment's life. A name that a worker or a job uses first is `dark`: it gets only what names it.
//
//          promote             another is promoted, or drain           nothing of it lives
// dark ───────────────▶ active ──────────────────────────▶ draining ──────────────────────▶ retired
//
// Any of them may be promoted again, a retired one too: that is how a bad stack is rolled back.

/**
 * `dark`: takes jobs that name it. `active`: those that name none, too. `draining`: no new jobs, but what its jobs call.
 * `retired`: nothing.
 */
export type DeploymentState = 'dark' | 'active' | 'draining' | 'retired'

/** What a new job without a parent says of its deployment. */
export type Placing = { readonly deployment?: string; readonly retryOf?: unknown }

/** Where a new job goes; empty: to workers without a deployment. Its children go where it goes. */
export type Placed = { readonly to: string } | { readonly refused: 'deployment_draining' | 'deployment_retired' }

/** @param states of all that are known */
export function placeJob({ deployment, retryOf }: Placing, states: ReadonlyMap<string, DeploymentState>): Placed {
  const active = [...states].find(([, state]) => state === 'active')?.[0]
  if (deployment === undefined) return { to: active ?? '' }
  const state = states.get(deployment) ?? 'dark'
  switch (state) {
    case 'dark':
    case 'active':
      return { to: deployment }
    case 'draining':
    case 'retired':
      // What failed on a stack that is gone is tried again on the one that took its place.
      if (retryOf !== undefined && active !== undefined) return { to: active }
      return { refused: `deployment_${state}` }
    default:
      return assertNever(state)
  }
}
