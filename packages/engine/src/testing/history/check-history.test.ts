import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Job, JobId, WorkerId } from '../../job/job.ts'
import type { EventKind, JobEvent, RecordedStep } from '../../store/store.ts'
import { checkHistory, type RuleName, rules } from './check-history.ts'
import { NO_WITNESS, type StoreHistory, type Witness } from './store-history.ts'

// Short names stand for ids here; nothing looks inside of them.
const [flow, one, two] = ['flow' as JobId, 'one' as JobId, 'two' as JobId]
const [ada, bob] = ['ada' as WorkerId, 'bob' as WorkerId]

type Line = readonly [JobId, EventKind, number, JobEvent['data']?]

/** A workflow records a local step and calls two children as a group; its first worker is lost, the second one ends it. */
const STORY: readonly Line[] = [
  [flow, 'queued', 0],
  [flow, 'started', 1, { worker: ada }],
  [flow, 'step', 1, { step: 1, kind: 'step', name: 'plan' }],
  [flow, 'step', 1, { step: 2, kind: 'map', name: 'tile' }],
  [one, 'queued', 0],
  [two, 'queued', 0],
  [one, 'started', 1, { worker: ada }],
  [one, 'log', 1, { level: 'info', message: 'working' }],
  [one, 'ended', 1, { state: 'succeeded' }],
  [flow, 'lapsed', 1],
  [two, 'started', 1, { worker: bob }],
  [two, 'ended', 1, { state: 'succeeded' }],
  [flow, 'started', 2, { worker: bob }],
  [flow, 'step', 2, { step: 3, kind: 'step', name: 'sum' }],
  [flow, 'ended', 2, { state: 'succeeded' }],
]

function events(lines: readonly Line[]): JobEvent[] {
  return lines.map(([jobId, kind, attempt, data = {}], index) => ({
    cursor: index + 1,
    jobId,
    kind,
    attempt,
    at: index,
    data,
  }))
}

function job(id: JobId, attempt: number, worker: WorkerId, item?: number): Job {
  const [task, kind] = item === undefined ? (['survey', 'workflow'] as const) : (['tile', 'task'] as const)
  const place = item === undefined ? {} : { parentId: flow, step: 2, item }
  const base = { id, task, kind, queue: 'q', priority: 0, attempt, createdAt: 0, tags: [], rootId: flow, ...place }
  return { ...base, state: 'succeeded', startedAt: 1, endedAt: 2, worker }
}

function step(
  number: number,
  kind: RecordedStep['kind'],
  name: string,
  over: Partial<RecordedStep> = {},
): RecordedStep {
  return { step: number, kind, name, delivered: [], deliveredFrom: 0, recordedAt: 0, children: [], ...over }
}

const child = (jobId: JobId, item: number) =>
  ({ jobId, task: 'tile', item, state: 'succeeded', result: '1' }) as RecordedStep['children'][number]

const STEPS: readonly RecordedStep[] = [
  step(1, 'step', 'plan', { value: '1' }),
  step(2, 'map', 'tile', { policy: 'fail', delivered: [1], children: [child(one, 0), child(two, 1)] }),
  step(3, 'step', 'sum', { value: '2', delivered: [2], deliveredFrom: 1 }),
]

const GOOD: StoreHistory = {
  jobs: [job(flow, 2, bob), job(one, 1, ada, 0), job(two, 1, bob, 1)],
  events: events(STORY),
  workflows: [{ jobId: flow, steps: STEPS }],
  inputs: {},
  results: {},
}

const WITNESS: Witness = {
  ...NO_WITNESS,
  accepted: [{ id: flow, key: 'k' }],
  effects: [
    { jobId: flow, attempt: 1, step: 'plan' },
    { jobId: one, attempt: 1 },
    { jobId: two, attempt: 1 },
    { jobId: flow, attempt: 2, step: 'sum' },
  ],
  tasksWithEffects: ['tile'],
  caps: [{ name: 'tiles', max: 1, jobs: new Set([one, two]) }],
  released: [{ parentId: flow, step: 2 }],
}

type Change = { readonly history?: Partial<StoreHistory>; readonly witness?: Partial<Witness> }

const replaced = (index: number, line: Line) => events(STORY.with(index, line))
const inserted = (index: number, line: Line) => events(STORY.toSpliced(index, 0, line))
const steps = (index: number, over: Partial<RecordedStep>) => [
  { jobId: flow, steps: STEPS.with(index, { ...(STEPS[index] as RecordedStep), ...over }) },
]

/** What no store may ever say, by the rule that refuses it. */
const BROKEN: Readonly<Record<RuleName, Readonly<Record<string, Change>>>> = {
  'one-owner': {
    'a second worker claims what the first one still holds': {
      history: { events: inserted(11, [two, 'started', 2, { worker: ada }]) },
    },
    'an attempt is left out': { history: { events: replaced(12, [flow, 'started', 3, { worker: bob }]) } },
    'an attempt that nobody began is taken back': { history: { events: inserted(6, [one, 'lapsed', 0]) } },
  },
  'end-is-final': {
    'a finished job is claimed again': {
      history: { events: inserted(9, [one, 'started', 2, { worker: bob }]) },
    },
    'a job ends twice': { history: { events: inserted(9, [one, 'ended', 1, { state: 'failed' }]) } },
    'a job is not what its end says': { history: { events: replaced(8, [one, 'ended', 1, { state: 'failed' }]) } },
    'a job begins without having been stored': { history: { events: events(STORY.toSpliced(4, 1)) } },
  },
  'late-worker-changes-nothing': {
    'a lost attempt records a step': {
      history: { events: inserted(13, [flow, 'step', 1, { step: 3, kind: 'step', name: 'late' }]) },
    },
    'an attempt tells something after its loss': {
      history: { events: inserted(10, [flow, 'log', 1, { level: 'info', message: 'still here' }]) },
    },
    'a job ends by a worker that did not hold it': {
      history: { jobs: GOOD.jobs.with(1, job(one, 1, bob, 0)) },
    },
  },
  'barrier-once': {
    'two commits are told that they released it': {
      witness: { released: [...WITNESS.released, { parentId: flow, step: 2 }] },
    },
    'a group is handed over before its last child ended': {
      history: {
        events: events([...STORY.slice(0, 11), ...STORY.slice(12, 14), ...STORY.slice(11, 12), ...STORY.slice(14)]),
      },
    },
    'nobody is said to have ended a group that failed': {
      history: {
        workflows: steps(1, {
          children: [child(one, 0), { ...child(two, 1), state: 'failed', error: { code: 'x', message: '' } } as never],
        }),
      },
    },
  },
  'child-seen-once': {
    'a child has two places': { history: { workflows: steps(1, { children: [child(one, 0), child(one, 1)] }) } },
    'two children have one place': { history: { jobs: GOOD.jobs.with(2, job(two, 1, bob, 0)) } },
    'a child is seen otherwise than it ended': {
      history: { workflows: steps(1, { children: [child(one, 0), { ...child(two, 1), state: 'pending' } as never] }) },
    },
  },
  'session-kept': {
    'two workers have jobs of one session': {
      history: {
        workflows: [{ jobId: flow, steps: [...(steps(1, { session: 4 })[0]?.steps ?? []), step(4, 'session', 'q')] }],
      },
    },
  },
  'deliveries-consistent': {
    'an outcome is received twice': { history: { workflows: steps(2, { delivered: [2, 1] }) } },
    'an outcome is left out': { history: { workflows: steps(2, { deliveredFrom: 2 }) } },
    'an outcome of no step is received': { history: { workflows: steps(2, { delivered: [2, 9] }) } },
    'a step is recorded twice': {
      history: { workflows: [{ jobId: flow, steps: [...STEPS, STEPS[0] as RecordedStep] }] },
    },
  },
  'nothing-lost': {
    'an accepted job is gone': { witness: { accepted: [{ id: 'gone' as JobId }] } },
    'a job never ends': { history: { jobs: GOOD.jobs.with(0, { ...job(flow, 2, bob), state: 'running' } as Job) } },
    'a job succeeds that nobody ran': { witness: { effects: WITNESS.effects.toSpliced(1, 1) } },
  },
  'one-job-per-key': {
    'a repeated key becomes a second job': { witness: { accepted: [...WITNESS.accepted, { id: one, key: 'k' }] } },
  },
  'limit-kept': {
    'one more runs than may': {
      history: {
        events: events([...STORY.slice(0, 8), ...STORY.slice(10, 11), ...STORY.slice(8, 10), ...STORY.slice(11)]),
      },
    },
  },
  'effect-belongs': {
    'code ran in an attempt that never began': {
      witness: { effects: [...WITNESS.effects, { jobId: two, attempt: 2 }] },
    },
  },
  'recorded-step-stays': {
    'a recorded step runs again': {
      witness: { effects: [...WITNESS.effects, { jobId: flow, attempt: 2, step: 'plan' }] },
    },
  },
}

suite('the history checker', () => {
  test('a history in which all went well breaks no rule', () => {
    assert.deepEqual(checkHistory(GOOD, WITNESS), [])
  })

  test('a step that is to be undone may run again, for its event tells of its beginning and not of its result', () => {
    const steps = STEPS.map((step) => (step.name === 'plan' ? { ...step, compensates: true } : step))
    const effects = [...WITNESS.effects, { jobId: flow, attempt: 2, step: 'plan' }]
    assert.deepEqual(checkHistory({ ...GOOD, workflows: [{ jobId: flow, steps }] }, { ...WITNESS, effects }), [])
  })

  test('a job that waits or runs is no breach while things are under way', () => {
    const jobs = GOOD.jobs.map((one) => ({ ...one, state: 'running' }) as Job)
    const underWay = { ...GOOD, jobs, events: GOOD.events.filter(({ kind }) => kind !== 'ended') }
    const found = checkHistory(underWay, { ...WITNESS, isOver: false }).map(({ rule }) => rule)
    assert.ok(!found.includes('nothing-lost'))
    assert.ok(checkHistory(underWay, WITNESS).some(({ rule }) => rule === 'nothing-lost'))
  })

  for (const [rule, changes] of Object.entries(BROKEN)) {
    for (const [name, { history, witness }] of Object.entries(changes)) {
      test(`${rule} refuses that ${name}`, () => {
        const found = checkHistory({ ...GOOD, ...history }, { ...WITNESS, ...witness })
        assert.ok(
          found.some((breach) => breach.rule === rule),
          `only found ${JSON.stringify(found)}`,
        )
      })
    }
  }

  test('every rule is held by a history that breaks it', () => {
    assert.deepEqual(Object.keys(BROKEN).sort(), Object.keys(rules).sort())
  })
})
