import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatusInfo, WireStep } from '@headrace/wire'
import { barOf, countStates, densityOf, spanOf, timelineRows } from './timeline-rows.ts'

const at = (seconds: number) => new Date(Date.UTC(2030, 0, 1) + seconds * 1000).toISOString()
const atMs = (seconds: number) => Date.parse(at(seconds))

function job(id: string, more: Partial<StatusInfo> = {}): StatusInfo {
  return {
    jobID: id,
    processID: 'render',
    type: 'process',
    status: 'successful',
    state: 'succeeded',
    created: at(0),
    updated: at(0),
    progress: 0,
    links: [],
    kind: 'task',
    queue: 'tiles',
    priority: 0,
    attempt: 1,
    tags: [],
    rootId: 'root',
    ...more,
  }
}

function step(number: number, name: string): WireStep {
  return { step: number, kind: 'step', name, recordedAt: at(1), children: { total: 0, ended: 0, failed: 0 } }
}

const nothing = new Set<string>()
const line = (row: { depth: number; key: string }) => `${'  '.repeat(row.depth)}${row.key}`

test('a small tree is drawn whole: steps and children in step order, under their parent', () => {
  const jobs = [
    job('root'),
    job('b', { parentId: 'root', step: 2 }),
    job('a', { parentId: 'root', step: 0 }),
    job('a1', { parentId: 'a', step: 0 }),
  ]
  const rows = timelineRows({ rootId: 'root', jobs, steps: [step(1, 'survey')], toggled: nothing })
  assert.deepEqual(rows.map(line), ['root', '  a', '    a1', '  root/1', '  b'])
})

test('five thousand children of one step are one line, and all lines once it is unfolded', () => {
  const children = Array.from({ length: 5000 }, (_, item) => job(`c${item}`, { parentId: 'root', step: 0, item }))
  const jobs = [job('root'), ...children]
  const folded = timelineRows({ rootId: 'root', jobs, steps: [], toggled: nothing })
  assert.deepEqual(folded.map(line), ['root', '  root/0/group'])
  const unfolded = timelineRows({ rootId: 'root', jobs, steps: [], toggled: new Set(['root/0/group']) })
  assert.equal(unfolded.length, 5002)
  assert.equal(unfolded[2]?.key, 'c0')
  assert.equal(unfolded[5001]?.key, 'c4999')
})

test('a toggled job folds, and its children are gone', () => {
  const jobs = [job('root'), job('a', { parentId: 'root', step: 0 }), job('a1', { parentId: 'a', step: 0 })]
  const rows = timelineRows({ rootId: 'root', jobs, steps: [], toggled: new Set(['a']) })
  assert.deepEqual(rows.map(line), ['root', '  a'])
})

test('a tree without its root has no lines', () => {
  assert.deepEqual(timelineRows({ rootId: 'root', jobs: [job('a')], steps: [], toggled: nothing }), [])
})

test('a span reaches to the last end, and to now while a job has not ended', () => {
  const ended = job('a', { created: at(0), finished: at(10) })
  assert.deepEqual(spanOf([ended], atMs(99)), { fromMs: atMs(0), toMs: atMs(10) })
  const running = job('b', { created: at(5), state: 'running' })
  assert.deepEqual(spanOf([ended, running], atMs(99)), { fromMs: atMs(0), toMs: atMs(99) })
})

test('a bar tells waiting from running', () => {
  const span = { fromMs: atMs(0), toMs: atMs(10) }
  const ran = job('a', { created: at(1), started: at(4), finished: at(9) })
  assert.deepEqual(barOf(ran, span, atMs(10)), { waitFrom: 0.1, from: 0.4, to: 0.9 })
  const waits = job('b', { created: at(2), state: 'waiting' })
  assert.deepEqual(barOf(waits, span, atMs(6)), { waitFrom: 0.2, from: 0.6, to: 0.6 })
})

test('density counts the jobs running in each slice, and those that went on to fail', () => {
  const span = { fromMs: atMs(0), toMs: atMs(4) }
  const jobs = [
    job('a', { started: at(0), finished: at(1.5) }),
    job('b', { started: at(1), finished: at(3.5), state: 'failed' }),
    job('c', { state: 'waiting' }),
  ]
  assert.deepEqual(densityOf(jobs, span, 4, atMs(4)), { running: [1, 2, 1, 1], failing: [0, 1, 1, 1], most: 2 })
})

test('counts tell a job that waits for an instant from one that waits its turn', () => {
  const counts = countStates(
    [job('a', { state: 'waiting', dueAt: at(60) }), job('b', { state: 'waiting' }), job('c')],
    atMs(0),
  )
  assert.deepEqual([counts.scheduled, counts.waiting, counts.succeeded], [1, 1, 1])
})
