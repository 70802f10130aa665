import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slots } from './slots.ts'

test('what waits for a place gets it before a claim does', async () => {
  const slots = new Slots({ geo: 1 })
  slots.take('geo')
  const waiting = slots.taken('geo')
  assert.equal(slots.free('geo'), 0)
  slots.release('geo')
  await waiting
  assert.equal(slots.free('geo'), 0)
  slots.release('geo')
  assert.equal(slots.free('geo'), 1)
})

test('what is taken is not offered, nor what somebody inside waits for', async () => {
  const slots = new Slots({ geo: 4 }, { cpu: 4, memoryMb: 100 })
  slots.take('geo', { cpu: 3, memoryMb: 50 })
  assert.deepEqual(slots.freeAmounts, { cpu: 1, memoryMb: 50 })
  const waiting = slots.taken('geo', { cpu: 2 })
  assert.deepEqual(slots.freeAmounts, { cpu: 0, memoryMb: 50 })
  assert.equal(slots.free('geo'), 2)
  slots.release('geo', { cpu: 3, memoryMb: 50 })
  await waiting
  assert.deepEqual(slots.freeAmounts, { cpu: 2, memoryMb: 100 })
  assert.equal(new Slots({ geo: 1 }).freeAmounts, undefined)
})

test('a resource that was offered to a claim is not taken by anybody else before its answer', async () => {
  const slots = new Slots({ geo: 4 }, { cpu: 1 })
  slots.lend()
  let isServed = false
  const waiting = slots.taken('geo', { cpu: 1 }).then(() => {
    isServed = true
  })
  // The answer: something was claimed into it.
  slots.take('geo', { cpu: 1 })
  slots.back()
  await Promise.resolve()
  assert.equal(isServed, false)
  slots.release('geo', { cpu: 1 })
  await waiting
  assert.deepEqual(slots.freeAmounts, { cpu: 0 })
})
