import type { Scope } from '@headrace/wire'
import { getSession } from './headrace.ts'
import { useLoaded } from './use-loaded.ts'

/** Whether who is logged in may do this; false until it is known, so that no button promises what is refused. */
export function useMay(scope: Scope): boolean {
  const { loadable } = useLoaded('session', getSession)
  if (loadable.state !== 'ready') return false
  const { scopes } = loadable.value
  return scopes.includes(scope) || scopes.includes('admin')
}
