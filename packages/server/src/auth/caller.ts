import type { Scope } from '@headrace/wire'

/** Who sent a request, and what they may do. */
export type Caller = {
  readonly owner: string
  readonly scopes: readonly Scope[]
}

/** What a route asks for: one scope, any one of several, or nothing. */
export type RouteScope = Scope | readonly Scope[] | 'public'

/** Whoever has a key may know it. */
export const ANY_KEY: RouteScope = ['submit', 'read-own', 'read-all', 'operate']
/** Of the whole place, not of one owner: counts, names of workers. */
export const OVERSIGHT: RouteScope = ['read-all', 'operate']

export const SCOPES: readonly Scope[] = ['submit', 'read-own', 'read-all', 'operate', 'admin']

/** What holding one scope includes besides itself. */
const INCLUDED: Readonly<Record<Scope, readonly Scope[]>> = {
  submit: [],
  'read-own': [],
  'read-all': ['read-own'],
  operate: [],
  admin: ['submit', 'read-own', 'read-all', 'operate'],
}

export function hasScope(caller: Caller, scope: Scope): boolean {
  return caller.scopes.some((held) => held === scope || INCLUDED[held].includes(scope))
}

export function isScope(value: unknown): value is Scope {
  return SCOPES.includes(value as Scope) // sound: includes() compares, whatever the value is
}
