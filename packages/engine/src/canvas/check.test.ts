import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { task } from '../task/task.ts'
import type { AnyTask } from '../task/workflow.ts'
import { CANVAS_LIMITS, checkCanvas } from './check.ts'

const numbers: StandardSchemaV1<unknown, number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => (typeof value === 'number' ? { value } : { issues: [{ message: 'a number is expected' }] }),
  },
}
const TASKS = new Map<string, AnyTask>([
  ['double', task({ name: 'double', input: numbers, run: (n: number) => n * 2 })],
  ['echo', task({ name: 'echo', run: (value: unknown) => value })],
])

/** Each flaw as `place: what`. */
async function flawsOf(document: unknown): Promise<readonly string[]> {
  const checked = await checkCanvas(document, TASKS)
  return 'issues' in checked ? checked.issues.map(({ path, message }) => `/${path.join('/')}: ${message}`) : []
}

async function flawed(canvas: unknown, place: string, said: RegExp) {
  const flaws = await flawsOf({ canvas })
  assert.equal(flaws.length, 1, flaws.join('\n'))
  const [at = '', ...message] = (flaws[0] ?? '').split(': ')
  assert.equal(at, place)
  assert.match(message.join(': '), said)
}

test('a canvas that uses every word of the language has no flaw', async () => {
  const canvas = {
    chain: [
      { call: 'echo', id: 'a', input: [1, 2], priority: 1, delayMs: 0, deadlineMs: 1_000 },
      { group: [{ call: 'echo', id: 'b' }, { chain: [{ call: 'double', input: 1 }, { call: 'double' }] }], id: 'g' },
      { map: 'double', over: { $ref: 'a' }, onFailure: 'collect', concurrency: 2 },
      { chunks: 'echo', over: [1, { $ref: 'g/0' }], size: 2 },
      { chord: [{ call: 'echo', input: { $ref: 'b' } }], body: { call: 'echo', input: { all: { $ref: 'previous' } } } },
      { when: { not: { equals: [{ $ref: 'a/0' }, 1] } }, do: { call: 'echo', id: 'x' }, else: { call: 'echo' } },
    ],
  }
  assert.deepEqual(await flawsOf({ canvas, onFailure: { call: 'echo', input: { $ref: 'error/code' } } }), [])
})

test('what is no node, or two, is said at its place', async () => {
  assert.match(String(await flawsOf([])), /^\/: An object with a canvas/)
  assert.match(String(await flawsOf({})), /^\/canvas: A node is expected/)
  await flawed({ chain: ['double'] }, '/canvas/chain/0', /A node is expected/)
  await flawed({ calls: 'double' }, '/canvas', /exactly one of call, chain/)
  await flawed({ call: 'echo', group: [] }, '/canvas', /not call and group/)
  await flawed({ chain: [] }, '/canvas/chain', /at least one/)
  await flawed({ group: { call: 'echo' } }, '/canvas/group', /A list is expected/)
  await flawed({ chord: [] }, '/canvas/body', /A node is expected/)
  await flawed({ call: 'echo', inputs: 1 }, '/canvas/inputs', /no such field here. There are: id, call, input/)
  await flawed({ group: [], onFailure: 'ignore' }, '/canvas/onFailure', /"fail" or "collect"/)
  await flawed({ chunks: 'echo', over: [1], size: 0 }, '/canvas/size', /whole number from 1/)
  await flawed({ map: 'echo' }, '/canvas/over', /A list, or a reference/)
  await flawed({ call: 'echo', priority: 0.5 }, '/canvas/priority', /whole number/)
})

test('a process that is not there, or not for everyone, is said at its place', async () => {
  await flawed({ group: [{ call: 'echo' }, { call: 'hidden' }] }, '/canvas/group/1/call', /no process "hidden"/)
  await flawed({ map: 7, over: [] }, '/canvas/map', /no process 7/)
})

test('an input that is written out is read by its process’s schema', async () => {
  await flawed({ call: 'double', input: 'x' }, '/canvas/input', /a number is expected/)
  await flawed({ call: 'double' }, '/canvas', /a number is expected/)
  await flawed({ map: 'double', over: [1, 'x'] }, '/canvas/over/1', /a number is expected/)
  assert.deepEqual(await flawsOf({ canvas: { chain: [{ call: 'echo' }, { call: 'double' }] } }), [])
})

test('a reference leads to what has ended by then, and to nothing else', async () => {
  const a = { call: 'echo', id: 'a' }
  const toA = { call: 'echo', input: { deep: [{ $ref: 'a/x' }] } }
  await flawed(toA, '/canvas/input/deep/0/$ref', /No node before this one has the id "a". There are: none/)
  await flawed({ chain: [toA, a] }, '/canvas/chain/0/input/deep/0/$ref', /No node before/)
  await flawed({ group: [a, toA] }, '/canvas/group/1/input/deep/0/$ref', /a may not have ended by then/)
  await flawed({ chain: [{ when: true, do: a }, toA] }, '/canvas/chain/1/input/deep/0/$ref', /may not have ended/)
  await flawed({ chain: [{ group: [a], onFailure: 'collect' }, toA] }, '/canvas/chain/1/input/deep/0/$ref', /may not/)
  await flawed({ call: 'echo', input: { $ref: 'previous' } }, '/canvas/input/$ref', /no previous here/)
  await flawed({ call: 'echo', input: { $ref: 'item' } }, '/canvas/input/$ref', /no item here/)
  await flawed({ call: 'echo', input: { $ref: 'x', more: 1 } }, '/canvas/input', /nothing else/)
  await flawed({ when: { equal: [1, 1] }, do: a }, '/canvas/when', /A condition is expected/)
  await flawed({ when: { less: [1] }, do: a }, '/canvas/when/less', /Two values/)
  await flawed({ when: { any: [{ $ref: 'b' }] }, do: a }, '/canvas/when/any/0/$ref', /No node before/)
})

test('an id is a name, and one node’s alone', async () => {
  await flawed({ call: 'echo', id: 'previous' }, '/canvas/id', /none of previous, item, error/)
  await flawed({ call: 'echo', id: 'a/b' }, '/canvas/id', /1 to 63 letters/)
  await flawed(
    {
      group: [
        { call: 'echo', id: 'a' },
        { call: 'echo', id: 'a' },
      ],
    },
    '/canvas/group/1/id',
    /Another node/,
  )
})

test('a canvas that is too deep, too wide, too long or too large is said to be so, once', async () => {
  let deep: object = { call: 'echo' }
  for (let depth = 0; depth < CANVAS_LIMITS.depth; depth++) deep = { chain: [deep] }
  assert.match(String(await flawsOf({ canvas: deep })), /Nodes stand in at most 20 others/)
  const many = { group: Array.from({ length: CANVAS_LIMITS.nodes + 5 }, () => ({ call: 'echo' })) }
  await flawed(many, '/canvas/group/999', /at most 1000 nodes/)
  await flawed({ map: 'echo', over: Array(CANVAS_LIMITS.members + 1).fill(0) }, '/canvas/over', /10001 members/)
  assert.match(
    String(await flawsOf({ canvas: { call: 'echo', input: 'x'.repeat(5_000_000) } })),
    /^\/: It has \d+ bytes/,
  )
  let nested: unknown = 1
  for (let depth = 0; depth < 5_000; depth++) nested = [nested]
  assert.match(String(await flawsOf({ canvas: { call: 'echo', input: nested } })), /^\/: .*nested/)
})
