import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StatusInfo, WireStep } from '@headrace/wire'
import { recordingTerminal } from '../testing/recording-terminal.ts'
import { etaMs, fractionOf, watchLines } from './watch-view.ts'

const startedAt = Date.parse('2030-01-01T00:00:00Z')

function statusOf(state: StatusInfo['state'], more: Partial<StatusInfo> = {}): StatusInfo {
  return {
    jobID: 'parent',
    processID: 'survey',
    type: 'process',
    status: 'running',
    created: '2030-01-01T00:00:00Z',
    started: '2030-01-01T00:00:00Z',
    updated: '2030-01-01T00:00:00Z',
    progress: 0,
    links: [],
    state,
    kind: 'workflow',
    queue: 'default',
    priority: 0,
    attempt: 1,
    tags: [],
    rootId: 'parent',
    ...more,
  }
}

function stepOf(ended: number, total: number, failed = 0): WireStep {
  return {
    step: 0,
    kind: 'map',
    name: 'geo.count',
    recordedAt: '2030-01-01T00:00:00Z',
    children: { total, ended, failed },
  }
}

const alone = { steps: [], tree: { jobs: [], truncated: false } }

test('the job’s own progress counts; without it, how many of its children have ended, which alone never make it whole', () => {
  assert.equal(
    fractionOf({ ...alone, status: statusOf('running', { progressFraction: 0.4 }), steps: [stepOf(9, 10)] }),
    0.4,
  )
  assert.equal(fractionOf({ ...alone, status: statusOf('running'), steps: [stepOf(1, 4), stepOf(2, 2)] }), 0.5)
  assert.equal(fractionOf({ ...alone, status: statusOf('running'), steps: [stepOf(4, 4)] }), 0.99)
  assert.equal(fractionOf({ ...alone, status: statusOf('succeeded', { progressFraction: 0.7 }) }), 1)
})

test('what is left is told once there is something to tell it from', () => {
  const running = statusOf('running')
  assert.equal(etaMs(running, 0.25, startedAt + 10_000), 30_000)
  assert.equal(etaMs(running, 0.25, startedAt + 500), undefined)
  assert.equal(etaMs(running, 0, startedAt + 10_000), undefined)
  assert.equal(etaMs(statusOf('waiting'), 0.25, startedAt + 10_000), undefined)
})

test('one line shows the job, and one each task that it called, in however many steps', () => {
  const children = ['running', 'succeeded', 'succeeded'].map((state, index) =>
    statusOf(state as StatusInfo['state'], { jobID: `child${index}` }),
  )
  const status = statusOf('running', { progressFraction: 0.5, progressMessage: 'counting\nland' })
  const watched = {
    status,
    steps: [stepOf(1, 2, 1), stepOf(1, 1)],
    tree: { jobs: [status, ...children], truncated: false },
  }
  assert.deepEqual(watchLines(recordingTerminal(), watched, startedAt + 20_000), [
    'survey ▕██████████          ▏ 50 %  running · 20 s, about 20 s left · children: 1 running, 2 succeeded · counting land',
    '  geo.count ▕█████████████▍      ▏ 2 of 3, 1 failed',
  ])
})
