import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Json, Store } from '@headrace/engine'
import type { Scope } from '@headrace/wire'
import { type Caller, isScope } from './caller.ts'

/** What is known of a key; its secret is not. */
export type ApiKey = {
  readonly id: string
  readonly name: string
  readonly owner: string
  readonly scopes: readonly Scope[]
  readonly createdAt: string
  readonly expiresAt?: string
  /** To the hour. */
  readonly lastUsedAt?: string
}

type StoredKey = Omit<ApiKey, 'lastUsedAt'> & { readonly secretSha256: string }

const KEYS = 'api-keys'
/** Apart from the keys, so that noting a use can never bring back a key that is being revoked. */
const USES = 'api-key-uses'
const USE_NOTED_EVERY_MS = 3_600_000
const KEY_TEXT = /^hr_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/

/**
 * Makes a key. Its text is given once and never again: only the SHA-256 of its 256-bit random secret is kept.
 * @param options `expiresAt`: ISO 8601; the key is valid for ever when left out
 * @example const { key } = await createKey(store, { owner: 'ada', scopes: ['submit', 'read-own'], name: 'notebook' })
 */
export async function createKey(
  store: Store,
  options: {
    readonly owner: string
    readonly scopes: readonly Scope[]
    readonly name: string
    readonly expiresAt?: string
  },
): Promise<{ readonly id: string; readonly key: string }> {
  const id = randomBytes(6).toString('hex')
  const secret = randomBytes(32).toString('base64url')
  const createdAt = new Date(store.clock.now()).toISOString()
  await store.settings.put(KEYS, id, { ...options, id, createdAt, secretSha256: hash('sha256', secret) })
  return { id, key: `hr_${id}_${secret}` }
}

/** Every key, expired ones too, oldest first. */
export async function listKeys(store: Store): Promise<readonly ApiKey[]> {
  const uses = new Map((await store.settings.list(USES)).map(({ key, value }) => [key, value]))
  return (await store.settings.list(KEYS))
    .map(({ value }) => value as StoredKey) // sound: only createKey writes here
    .map(({ secretSha256: _, ...key }) => {
      const lastUsedAt = uses.get(key.id)
      return typeof lastUsedAt === 'string' ? { ...key, lastUsedAt } : key
    })
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt))
}

/** Whether there was such a key. It and every session that it opened are refused from now on. */
export async function revokeKey(store: Store, id: string): Promise<boolean> {
  await store.settings.delete(USES, id)
  return store.settings.delete(KEYS, id)
}

/** Who holds this key text; undefined when it is no key, a wrong one, a revoked one or an expired one. */
export async function callerOfKey(
  store: Store,
  text: string,
): Promise<(Caller & { readonly keyId: string }) | undefined> {
  const [, id, secret] = KEY_TEXT.exec(text) ?? []
  if (id === undefined || secret === undefined) return undefined
  const key = await liveKey(store, id)
  if (!key || !isSameDigest(key.secretSha256, hash('sha256', secret))) return undefined
  await noteUse(store, id)
  return { owner: key.owner, scopes: key.scopes.filter(isScope), keyId: id }
}

/** Whether the key that a session was opened with still holds. */
export async function isLiveKey(store: Store, id: string): Promise<boolean> {
  return (await liveKey(store, id)) !== undefined
}

async function liveKey(store: Store, id: string): Promise<StoredKey | undefined> {
  const key = (await store.settings.get(KEYS, id)) as (StoredKey & Json) | undefined // sound: only createKey writes here
  if (!key) return undefined
  if (key.expiresAt !== undefined && Date.parse(key.expiresAt) <= store.clock.now()) return undefined
  return key
}

async function noteUse(store: Store, id: string): Promise<void> {
  const now = store.clock.now()
  const before = await store.settings.get(USES, id)
  if (typeof before === 'string' && now - Date.parse(before) < USE_NOTED_EVERY_MS) return
  await store.settings.put(USES, id, new Date(now - (now % USE_NOTED_EVERY_MS)).toISOString())
}

function isSameDigest(stored: string, given: string): boolean {
  return timingSafeEqual(Buffer.from(stored, 'hex'), Buffer.from(given, 'hex'))
}
