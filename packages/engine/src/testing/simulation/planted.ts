import type { Claimed, Commit, CommitResult, NewJob, Settlement, Store } from '../../store/store.ts'

/**
 * Bugs for stores: each breaks one promise, so that a test sees that the simulation finds it. Nothing but tests plants them.
 * A bug is shared by all who open the store, as the code of a store is.
 */
export const plantedBugs = {
  /** The late result of a worker that lost its lease is taken for that of the one who holds the job now. */
  'ignores-fence': () => (store: Store) =>
    overlay(store, {
      async commit(batch) {
        const result = await store.commit(batch)
        const settled = await Promise.all(
          result.settled.map(async (outcome, index) => {
            const late = batch.settle[index]
            return outcome === 'lease_lost' && late !== undefined ? settleInAnothersName(store, late) : outcome
          }),
        )
        return { ...result, settled }
      },
    }),

  /** Urgent jobs are accepted and not stored. */
  'loses-accepted': () => (store: Store) =>
    overlay(store, {
      enqueue: async (jobs) =>
        jobs.some(({ priority }) => priority > 1)
          ? jobs.map(({ id }) => ({ outcome: 'created', id }))
          : store.enqueue(jobs),
    }),

  /** The step that waits for a group hears of its end twice. */
  'releases-twice': () => (store: Store) =>
    overlay(store, {
      async commit(batch) {
        const result = await store.commit(batch)
        return { ...result, released: [...result.released, ...result.released] }
      },
    }),

  /** A limit takes one more than it should. */
  'exceeds-limit': () => {
    const more = (job: NewJob) => (job.limit ? { ...job, limit: { ...job.limit, max: job.limit.max + 1 } } : job)
    return (store: Store) =>
      overlay(store, {
        enqueue: (jobs) => store.enqueue(jobs.map(more)),
        commit: (batch) => store.commit(withChildren(batch, more)),
      })
  },

  /** Whoever runs a workflow again is not told of the last step that was recorded. */
  'forgets-step': () => (store: Store) =>
    overlay(store, {
      async history(row) {
        const steps = await store.history(row)
        return steps.at(-1)?.kind === 'step' ? steps.slice(0, -1) : steps
      },
    }),

  /** The jobs of a session go to anybody, whatever is said of it afterwards. */
  'parts-session': () => {
    const sessions = new Map<string, number>()
    return (store: Store) =>
      overlay(store, {
        commit: (batch) =>
          store.commit({
            ...batch,
            advance: batch.advance.map(({ lease, steps }) => ({
              lease,
              steps: steps.map(({ session, ...step }) => {
                if (session !== undefined) sessions.set(`${lease.jobId}/${step.step}`, session)
                return step
              }),
            })),
          }),
        async steps(id) {
          const steps = await store.steps(id)
          return steps.map((step) => {
            const session = sessions.get(`${id}/${step.step}`)
            return session === undefined ? step : { ...step, session }
          })
        },
      })
  },

  /** A job that one worker was given is given to another one, too. */
  'gives-out-twice': () => {
    let last: Claimed | undefined
    return (store: Store) =>
      overlay(store, {
        async commit(batch) {
          const result = await store.commit(batch)
          const [claimed] = result.claimed
          if (claimed !== undefined) last = claimed
          else if (last !== undefined && batch.claim.length > 0 && last.lease.worker !== batch.worker)
            return { ...result, claimed: [{ ...last, lease: { ...last.lease, worker: batch.worker } }] }
          return result
        },
      })
  },
} as const satisfies Readonly<Record<string, () => (store: Store) => Store>>

export type PlantedBug = keyof typeof plantedBugs

function overlay(store: Store, methods: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, key) {
      if (key in methods) return Reflect.get(methods, key)
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

async function settleInAnothersName(store: Store, late: Settlement): Promise<CommitResult['settled'][number]> {
  const job = await store.job(late.lease.jobId)
  if (job?.state !== 'running') return 'lease_lost'
  const lease = { ...late.lease, attempt: job.attempt, worker: job.worker }
  const nothing = { advance: [], tell: [], claim: [] }
  const { settled } = await store.commit({ worker: job.worker, settle: [{ ...late, lease }], ...nothing })
  return settled[0] ?? 'lease_lost'
}

function withChildren(batch: Commit, change: (job: NewJob) => NewJob): Commit {
  const advance = batch.advance.map(({ lease, steps }) => ({
    lease,
    steps: steps.map((step) => (step.children ? { ...step, children: step.children.map(change) } : step)),
  }))
  return { ...batch, advance }
}
