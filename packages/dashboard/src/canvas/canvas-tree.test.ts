import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobState, StatusInfo } from '@headrace/wire'
import { type CanvasBranch, canvasTree } from './canvas-tree.ts'

const job = (path: string, state: JobState) =>
  ({ jobID: path, state, tags: ['night', `canvas:${path}`] }) as unknown as StatusInfo // sound: no more is read

/** One line for each node: its place, label, kind, state and jobs. */
function lines(branches: readonly CanvasBranch[]): readonly string[] {
  return branches.flatMap(({ path, label, kind, state, jobs, children }) => [
    [path, label, kind || '-', state ?? 'not begun', jobs.length].join(' | '),
    ...lines(children),
  ])
}

test('each node stands at its place with its jobs, and what holds others as they stand together', () => {
  const canvas = {
    chain: [
      { group: [{ call: 'land', id: 'a' }, { call: 'soil' }], id: 'both' },
      { map: 'tile', over: { $ref: 'a' }, onFailure: 'collect' },
      { when: true, do: { call: 'sum' } },
    ],
  }
  const jobs = [
    job('/canvas/chain/0/group/0', 'succeeded'),
    job('/canvas/chain/0/group/1', 'succeeded'),
    job('/canvas/chain/1', 'succeeded'),
    job('/canvas/chain/1', 'running'),
  ]
  assert.deepEqual(lines(canvasTree({ canvas, onFailure: { call: 'tell' } }, jobs)), [
    '/canvas | one after the other | - | running | 0',
    '/canvas/chain/0 | both | all at once | succeeded | 0',
    '/canvas/chain/0/group/0 | a | land | succeeded | 1',
    '/canvas/chain/0/group/1 | soil | - | succeeded | 1',
    '/canvas/chain/1 | tile | for each item, collects failures | running | 2',
    '/canvas/chain/2 | one of two ways | - | not begun | 0',
    '/canvas/chain/2/do | sum | - | not begun | 0',
    '/onFailure | tell | if it fails | not begun | 0',
  ])
})

test('a chain of which some has ended and some was not begun is under way', () => {
  const canvas = { chain: [{ call: 'a' }, { call: 'b' }] }
  assert.equal(canvasTree({ canvas }, [job('/canvas/chain/0', 'succeeded')])[0]?.state, 'running')
  assert.deepEqual(canvasTree('nothing', []), [])
})
