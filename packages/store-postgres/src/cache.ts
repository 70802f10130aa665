import type { NewJob, Release } from '@headrace/engine'
import { type Asking, type CacheEntry, type Decision, decideKey, type Ended, freshResult } from './cache-decision.ts'
import { Changes, type Ending } from './changes.ts'
import { statements } from './connection/named.ts'
import { call, type Session } from './connection/session.ts'
import { type Context, inTransaction, type Work } from './context.ts'
import { type DueRow, hintAtPromoted, noteAsking } from './promote.ts'
import { STATE } from './states.ts'

/** Keys are locked so many at once. */
const KEYS_AT_ONCE = 200
/** As many rows as one statement purges: there may be more. */
const PURGED_MAX = 1_000
/** As many followers of a key as one statement reads: there may be more. */
const FOLLOWERS_MAX = 5_000

type Options = NonNullable<NewJob['cache']>
type EntryRow = {
  readonly key: string
  readonly seq: number
  readonly state: CacheEntry['state']
  readonly expires_at: number | null
  readonly result: string | null
}
type EndedRow = {
  readonly key: string
  readonly seq: number
  readonly task: string
  readonly cache: string
  readonly result: string | null
}
type FollowerRow = {
  readonly seq: number
  readonly key: string
  readonly parent_seq: number | null
  readonly task: string
  readonly cache: string
}

/** What is known of keys, and what was noted of them. */
type Known = {
  readonly entries: ReadonlyMap<string, CacheEntry>
  readonly ended: ReadonlyMap<string, readonly EndedRow[]>
  readonly followers: readonly FollowerRow[]
}

/** Answers those who ask for results, and lets go whoever is to make one. @returns steps that were released by it */
export async function serveCache(session: Session, context: Context, keys: readonly string[]): Promise<Release[]> {
  const released: Release[] = []
  for (let first = 0; first < keys.length; first += KEYS_AT_ONCE) {
    const some = keys.slice(first, first + KEYS_AT_ONCE)
    released.push(...(await inTransaction(session, context, (work) => serveKeys(work, some))))
  }
  return released
}

async function serveKeys(work: Work, keys: readonly string[]): Promise<readonly Release[]> {
  await work.tx.rows('lockCacheKeys', keys)
  const known = await readKeys(work, keys)
  const above = await readAbove(work, known)
  for (let followers = known.followers; ; ) {
    const decisions = decideAll({ ...known, followers }, above, keys, work.now)
    const jobs = await lockChosen(work, decisions)
    const gone = chosenOf(decisions).filter((seq) => !jobs.rows.has(seq))
    // One that was cancelled meanwhile can neither lead nor be answered: who is left is asked again.
    if (gone.length > 0) {
      const isGone = new Set(gone)
      followers = followers.filter(({ seq }) => !isGone.has(seq))
      continue
    }
    for (const key of keys)
      if (followers.filter((follower) => follower.key === key).length >= FOLLOWERS_MAX) work.notes.cache(key)
    return write(work, { ...known, followers }, decisions, jobs)
  }
}

async function readKeys({ tx }: Work, keys: readonly string[]): Promise<Known> {
  const [ended = [], entries = [], followers = []] = await tx.all([
    call(statements.takeCacheNotes, keys),
    call(statements.cacheEntries, keys),
    call(statements.cacheFollowers, keys),
  ])
  // The statements' own columns.
  return {
    ended: Map.groupBy(ended as unknown as readonly EndedRow[], ({ key }) => key),
    entries: new Map((entries as unknown as readonly EntryRow[]).map((row) => [row.key, toEntry(row)])),
    followers: followers as unknown as readonly FollowerRow[],
  }
}

function toEntry({ seq, state, expires_at: expiresAt, result }: EntryRow): CacheEntry {
  return { seq, state, expiresAt, result }
}

/** Which followers are below the job that they would wait for. */
async function readAbove({ tx }: Work, { entries, followers }: Known): Promise<ReadonlySet<string>> {
  const pairs = followers.flatMap(({ seq, key, parent_seq: parent }) => {
    const entry = entries.get(key)
    return parent !== null && entry?.state === 'pending' && entry.seq !== seq ? [{ seq, other: entry.seq }] : []
  })
  if (pairs.length === 0) return new Set()
  const rows = await tx.rows<{ readonly i: number }>(
    'jobsAbove',
    pairs.map(({ seq }) => seq),
    pairs.map(({ other }) => other),
  )
  return new Set(rows.map(({ i }) => `${pairs[i - 1]?.seq}/${pairs[i - 1]?.other}`))
}

function decideAll(
  { entries, ended, followers }: Known,
  above: ReadonlySet<string>,
  keys: readonly string[],
  now: number,
): ReadonlyMap<string, Decision> {
  const asking = Map.groupBy(followers, ({ key }) => key)
  return new Map(
    keys.map((key) => {
      const over = (ended.get(key) ?? []).map((row): Ended => {
        const { mode, ttlMs } = JSON.parse(row.cache) as Options
        return { seq: row.seq, result: row.result, mode, ttlMs }
      })
      const all = (asking.get(key) ?? []).map(({ seq, cache }): Asking => {
        const { mode } = JSON.parse(cache) as Options
        return { seq, mode, isBelow: (leader) => above.has(`${seq}/${leader}`) }
      })
      return [key, decideKey(entries.get(key), over, all, now)]
    }),
  )
}

function chosenOf(decisions: ReadonlyMap<string, Decision>): number[] {
  return [...decisions.values()].flatMap(({ answered, going, leaving }) => [
    ...answered.map(({ seq }) => seq),
    ...going,
    ...leaving,
  ])
}

type Locked = { readonly groups: readonly unknown[]; readonly rows: ReadonlyMap<number, Ending> }

/** Groups before jobs, and both in the order of their numbers, as everywhere. */
async function lockChosen({ tx }: Work, decisions: ReadonlyMap<string, Decision>): Promise<Locked> {
  const seqs = chosenOf(decisions)
  if (seqs.length === 0) return { groups: [], rows: new Map() }
  const [groups = [], rows = []] = await tx.all([call(statements.lockGroups, seqs), call(statements.lockWaiting, seqs)])
  // The statement's own columns.
  const waiting = (rows as unknown as readonly Ending[]).filter(({ state }) => state === STATE.following)
  return { groups, rows: new Map(waiting.map((row) => [row.seq, row])) }
}

async function write(
  work: Work,
  known: Known,
  decisions: ReadonlyMap<string, Decision>,
  { groups, rows }: Locked,
): Promise<readonly Release[]> {
  writeEntries(work, known, decisions)
  const all = [...decisions.values()]
  await letGo(
    work,
    all.flatMap(({ going }) => going),
    all.flatMap(({ leaving }) => leaving),
  )
  const answered = all.flatMap((decision) => decision.answered)
  if (answered.length === 0) return []
  const changes = new Changes(work)
  changes.knowGroups(groups)
  for (const { seq, result } of answered) {
    const job = rows.get(seq)
    if (job === undefined) continue
    const waiting = { ...job, worker: null, started_at: null, started_cursor: null }
    changes.end(waiting, { to: 'succeeded', result, isAnswer: true })
  }
  const released = await changes.finish()
  work.tx.later(
    'noteCacheHits',
    answered.map(({ seq }) => seq),
    answered.map(({ from }) => from),
  )
  return released
}

function writeEntries(
  { tx }: Work,
  { entries, ended, followers }: Known,
  decisions: ReadonlyMap<string, Decision>,
): void {
  const changed = [...decisions].filter(([key, { entry }]) => entry !== entries.get(key))
  const gone = changed.flatMap(([key, { entry }]) => (entry === undefined ? [key] : []))
  const put = changed.flatMap(([key, { entry }]) => (entry === undefined ? [] : [{ key, ...entry }]))
  if (gone.length > 0) tx.later('deleteCacheEntries', gone)
  if (put.length === 0) return
  const tasks = new Map([...ended.values()].flat().map(({ key, task }) => [key, task]))
  for (const { key, task } of followers) tasks.set(key, task)
  tx.later(
    'putCacheEntries',
    put.map(({ key }) => key),
    put.map(({ key }) => tasks.get(key) ?? ''),
    put.map(({ seq }) => seq),
    put.map(({ state }) => state),
    put.map(({ expiresAt }) => expiresAt),
  )
}

async function letGo(work: Work, going: readonly number[], leaving: readonly number[]): Promise<void> {
  if (going.length + leaving.length === 0) return
  if (leaving.length > 0) work.tx.later('leaveCache', leaving)
  const rows = await work.tx.rows<DueRow>('stopFollowing', [...going, ...leaving])
  hintAtPromoted(work, noteAsking(work, rows))
}

/** Of these jobs, those that would be answered at once: what needs no worker is held up by no limit. */
export async function areAnswered(work: Work, jobs: readonly NewJob[]): Promise<ReadonlySet<NewJob>> {
  const asking = jobs.filter(({ cache, dueAt }) => cache?.mode === 'use' && (dueAt === undefined || dueAt <= work.now))
  if (asking.length === 0) return new Set()
  const keys = [...new Set(asking.flatMap(({ cache }) => cache?.key ?? []))]
  const rows = await work.tx.rows<EntryRow>('cacheEntries', keys)
  const fresh = new Set(rows.filter((row) => freshResult(toEntry(row), work.now) !== undefined).map(({ key }) => key))
  return new Set(asking.filter(({ cache }) => fresh.has(cache?.key ?? '')))
}

/** Forgets results, a bounded number in each transaction. @returns how many */
export async function purgeCache(
  session: Session,
  { task, key }: { readonly task?: string; readonly key?: string },
): Promise<number> {
  if (key !== undefined) return (await session.run(statements.deleteCacheEntries, [[key]])).length
  for (let purged = 0; ; ) {
    const some = task === undefined ? statements.deleteCache : statements.deleteCacheOfTask
    const { length } = await session.run(some, task === undefined ? [] : [task])
    purged += length
    if (length < PURGED_MAX) return purged
  }
}
