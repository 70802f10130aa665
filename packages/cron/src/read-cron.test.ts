import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { readCron } from './read-cron.ts'

function instants(expression: string, timeZone: string, from: string, count: number): string[] {
  const calendar = readCron(expression, timeZone)
  const found: string[] = []
  for (let at = Date.parse(from); found.length < count; ) {
    const next = calendar.next(at)
    if (next === undefined) break
    found.push(new Date(next).toISOString().replace(':00.000Z', 'Z'))
    at = next
  }
  return found
}

suite('cron expressions', () => {
  test('an instant is after the one that was asked from, to the millisecond', () => {
    const { next } = readCron('0 12 * * *', 'UTC')
    const noon = Date.parse('2026-01-01T12:00:00Z')
    assert.equal(next(noon - 1), noon)
    assert.equal(next(noon), noon + 86_400_000)
    assert.equal(next(noon + 1), noon + 86_400_000)
  })

  test('days of the month and of the week are joined by "or"', () => {
    const expected = ['2026-02-02T09:00Z', '2026-02-09T09:00Z', '2026-02-13T09:00Z', '2026-02-16T09:00Z']
    assert.deepEqual(instants('0 9 13 * mon', 'UTC', '2026-02-01T00:00:00Z', 4), expected)
  })

  test('a sixth field in front is seconds, and the last day of a month is L', () => {
    const thirds = instants('*/20 * * * * *', 'UTC', '2026-01-01T00:00:00Z', 2)
    assert.deepEqual(thirds, ['2026-01-01T00:00:20.000Z', '2026-01-01T00:00:40.000Z'])
    const ends = ['2026-01-31T00:00Z', '2026-02-28T00:00Z', '2026-03-31T00:00Z']
    assert.deepEqual(instants('0 0 L * *', 'UTC', '2026-01-01T00:00:00Z', 3), ends)
  })

  test('an expression that never comes again has no next instant', () => {
    assert.deepEqual(instants('0 0 30 2 *', 'UTC', '2026-01-01T00:00:00Z', 1), [])
  })

  test('what cannot be understood is refused, and so is a zone that does not exist', () => {
    for (const expression of ['', '* * * *', '61 * * * *', 'every day', '* * * * * * *'])
      assert.throws(() => readCron(expression, 'UTC'), expression)
    assert.throws(() => readCron('0 0 * * *', 'Europe/Atlantis'), /no time zone Europe\/Atlantis/)
  })
})

// In Berlin, 02:00 became 03:00 on 29 March 2026, and 03:00 became 02:00 on 25 October.
suite('summer time', () => {
  test('a fixed time that does not exist fires at the first instant after the gap, on that day', () => {
    const expected = ['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z']
    assert.deepEqual(instants('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z', 3), expected)
  })

  test('a repeating time has no instant in the gap', () => {
    const expected = ['2026-03-29T00:30Z', '2026-03-29T01:00Z', '2026-03-29T01:30Z']
    assert.deepEqual(instants('*/30 * * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', 3), expected)
  })

  test('a fixed time that comes twice fires at its first coming only', () => {
    const expected = ['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z']
    assert.deepEqual(instants('30 2 * * *', 'Europe/Berlin', '2026-10-24T00:00:00Z', 3), expected)
  })

  test('a repeating time fires at both comings of an hour', () => {
    const expected = ['2026-10-24T23:30Z', '2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-25T02:30Z']
    assert.deepEqual(instants('30 * * * *', 'Europe/Berlin', '2026-10-24T23:00:00Z', 4), expected)
  })
})
