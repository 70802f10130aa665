import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openMemoryStore } from '@headrace/store-memory'
import { ManualClock } from '../testing/manual-clock.ts'
import { Removals } from './removals.ts'

const A = `sha256:${'a'.repeat(64)}`

function setUp() {
  const clock = new ManualClock()
  return { clock, removals: new Removals(openMemoryStore({ clock })) }
}

test('without a note nothing is removed', async () => {
  const { removals } = setUp()
  const remove = () => assert.fail('it was removed')
  assert.equal(await removals.remove(A, 'ada', remove), false)
  await removals.note(A)
  await removals.callOff(A)
  assert.equal(await removals.remove(A, 'ada', remove), false)
})

test('a removal is waited for until it is over, though another one of the same artifact has come to nothing meanwhile', async () => {
  const { clock, removals } = setUp()
  await removals.note(A)
  let isCalledOff = false
  let calling: Promise<void> | undefined
  const remove = async () => {
    assert.equal(await removals.remove(A, 'bob', () => assert.fail('it was removed twice')), false)
    calling = removals.callOff(A).then(() => {
      isCalledOff = true
    })
    await clock.pass({ ms: 10_000 })
    assert.equal(isCalledOff, false)
  }
  assert.equal(await removals.remove(A, 'ada', remove), true)
  await clock.pass({ ms: 1_000 })
  await calling
  assert.equal(isCalledOff, true)
})

test('a removal of which nobody knows how it went is waited for for two minutes', async () => {
  const { clock, removals } = setUp()
  await removals.note(A)
  await assert.rejects(
    removals.remove(A, 'ada', () => Promise.reject(new Error('no answer'))),
    /no answer/,
  )
  let isCalledOff = false
  void removals.callOff(A).then(() => {
    isCalledOff = true
  })
  await clock.pass({ ms: 119_000 })
  assert.equal(isCalledOff, false)
  await clock.pass({ ms: 1_000 })
  assert.equal(isCalledOff, true)
})
