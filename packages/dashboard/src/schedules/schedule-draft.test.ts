import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WireSchedule } from '@headrace/wire'
import { draftOf, instantOf, inZone, NEW_SCHEDULE, readDraft } from './schedule-draft.ts'

const stored: WireSchedule = {
  name: 'nightly',
  process: 'echo',
  inputs: { message: 'x' },
  cron: '@daily',
  priority: 3,
  owner: 'ada',
  isDeclared: false,
  paused: false,
  nextRuns: [],
  fired: 4,
  skipped: 0,
  changedAt: '2026-01-01T00:00:00.000Z',
}

test('a schedule that is changed keeps what the form does not show, and no more than it says', () => {
  assert.deepEqual(readDraft({ ...draftOf(stored), cron: '@hourly' }, stored), {
    options: {
      process: 'echo',
      inputs: { message: 'x' },
      cron: '@hourly',
      timeZone: 'UTC',
      overlap: 'skip',
      catchUp: 'one',
      priority: 3,
      owner: 'ada',
    },
  })
})

test('what is missing or is no JSON is said before anything is sent', () => {
  const draft = { ...NEW_SCHEDULE, name: 'n', process: 'echo' }
  assert.match(JSON.stringify(readDraft({ ...draft, inputs: '{' })), /not JSON yet/)
  assert.match(JSON.stringify(readDraft({ ...draft, name: ' ' })), /a name/)
  assert.match(JSON.stringify(readDraft({ ...draft, process: '' })), /Choose the process/)
})

test('an instant reads as the clocks of its zone show it', () => {
  assert.equal(inZone('2026-03-29T01:00:00Z', 'Europe/Berlin'), 'Sun, 29 Mar 2026, 03:00:00')
  assert.equal(instantOf('2026-03-29T01:00'), '2026-03-29T01:00:00.000Z')
  assert.equal(instantOf(''), undefined)
})
