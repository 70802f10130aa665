import { hash, randomBytes } from 'node:crypto'
import type { Store } from '@headrace/engine'
import type { Scope } from '@headrace/wire'
import { isLiveKey } from './api-key.ts'
import type { Caller } from './caller.ts'

/** Kept under the SHA-256 of the cookie's text, so that who reads the store cannot log in with what they read. */
type StoredSession = {
  readonly owner: string
  readonly scopes: readonly Scope[]
  readonly expiresAtMs: number
  /** The session ends with the key that opened it. */
  readonly keyId?: string
}
type StoredToken = StoredSession & { readonly usedAtMs?: number }

const SESSIONS = 'sessions'
const TOKENS = 'login-tokens'
const SESSION_MS = 30 * 86_400_000
const TOKEN_MS = 3_600_000

/** A token that opens one session, once, within the hour. */
export async function createLoginToken(store: Store, caller: Caller): Promise<string> {
  await dropExpired(store, TOKENS)
  return keep(store, TOKENS, { owner: caller.owner, scopes: caller.scopes }, TOKEN_MS)
}

/**
 * Exchanges a login token for a session. Of two who come with the same token at the same moment, one gets it.
 * @returns the session cookie's text, or why there is none
 */
export async function redeemLoginToken(
  store: Store,
  token: string,
): Promise<{ readonly session: string } | { readonly refused: 'used' | 'unknown' }> {
  const key = hash('sha256', token)
  const stored = (await store.settings.get(TOKENS, key)) as StoredToken | undefined // sound: only this file writes here
  if (!stored || stored.expiresAtMs <= store.clock.now()) return { refused: 'unknown' }
  if (stored.usedAtMs !== undefined || !(await store.settings.delete(TOKENS, key))) return { refused: 'used' }
  await store.settings.put(TOKENS, key, { ...stored, usedAtMs: store.clock.now() })
  return { session: await createSession(store, stored) }
}

/** The new session's cookie text. */
export async function createSession(store: Store, caller: Caller & { readonly keyId?: string }): Promise<string> {
  await dropExpired(store, SESSIONS)
  const { owner, scopes, keyId } = caller
  return keep(store, SESSIONS, { owner, scopes, ...(keyId === undefined ? {} : { keyId }) }, SESSION_MS)
}

export async function callerOfSession(store: Store, cookie: string): Promise<Caller | undefined> {
  const stored = (await store.settings.get(SESSIONS, hash('sha256', cookie))) as StoredSession | undefined // as above
  if (!stored || stored.expiresAtMs <= store.clock.now()) return undefined
  if (stored.keyId !== undefined && !(await isLiveKey(store, stored.keyId))) return undefined
  return { owner: stored.owner, scopes: stored.scopes }
}

export async function endSession(store: Store, cookie: string): Promise<void> {
  await store.settings.delete(SESSIONS, hash('sha256', cookie))
}

async function keep(
  store: Store,
  namespace: string,
  session: Omit<StoredSession, 'expiresAtMs'>,
  lifeMs: number,
): Promise<string> {
  const text = randomBytes(32).toString('base64url')
  await store.settings.put(namespace, hash('sha256', text), { ...session, expiresAtMs: store.clock.now() + lifeMs })
  return text
}

async function dropExpired(store: Store, namespace: string): Promise<void> {
  for (const { key, value } of await store.settings.list(namespace)) {
    const { expiresAtMs } = value as StoredSession // sound: only this file writes here
    if (expiresAtMs <= store.clock.now()) await store.settings.delete(namespace, key)
  }
}
