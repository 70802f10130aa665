import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { JobId } from '@headrace/engine'
import type { StoreHistory } from '@headrace/engine/testing'
import { postgresBinaries } from '@headrace/store-postgres/testing'
import { runCampaign } from './campaign.ts'
import { checkRound } from './check-round.ts'
import { parseOptions, UsageError } from './options.ts'
import { expectedResult } from './workload/expected.ts'

suite('the crash campaign', { timeout: 240_000 }, () => {
  test('jobs of processes that are killed and frozen at random, on a disk that fills up, are neither lost nor doubled', async () => {
    const report = await runCampaign({ minutes: 0.2, store: 'sqlite', seed: 8_137, json: true })
    assert.deepEqual(report.findings, [])
    const harmed = Object.values(report.harms).reduce((sum, count) => sum + count, 0)
    assert.ok(harmed >= 5, `only ${harmed} harms`)
    assert.ok((report.counts.attempts ?? 0) > (report.counts.accepted ?? 0) && (report.counts.accepted ?? 0) > 5)
  })

  test('the same on PostgreSQL, where the server crashes and connections are cut besides', {
    skip: postgresBinaries() === undefined && 'no PostgreSQL is installed here',
  }, async () => {
    const report = await runCampaign({ minutes: 0.2, store: 'postgres', seed: 8_137, json: true })
    assert.deepEqual(report.findings, [])
    const harmed = Object.values(report.harms).reduce((sum, count) => sum + count, 0)
    assert.ok(harmed >= 5, `only ${harmed} harms`)
    assert.ok((report.counts.attempts ?? 0) > 5 && (report.counts.accepted ?? 0) > 5)
  })

  test('a job with another result than it was asked for is found, and so is one that was accepted and is gone', () => {
    const [id, gone] = ['one' as JobId, 'gone' as JobId]
    const base = { id, task: 'chain', kind: 'workflow', queue: 'flows', priority: 0, attempt: 1, createdAt: 0 } as const
    const history: StoreHistory = {
      jobs: [{ ...base, tags: [], rootId: id, state: 'succeeded', endedAt: 1 }],
      events: [
        { cursor: 1, jobId: id, kind: 'queued', attempt: 0, at: 0, data: {} },
        { cursor: 2, jobId: id, kind: 'started', attempt: 1, at: 0, data: { worker: 'ada' } },
        { cursor: 3, jobId: id, kind: 'ended', attempt: 1, at: 1, data: { state: 'succeeded' } },
      ],
      workflows: [],
      inputs: {},
      results: { [id]: '12' },
    }
    const request = { task: 'chain', input: { value: 3, length: 2 } } as const
    const accepted = { kind: 'accepted', key: 'k', request } as const
    assert.equal(expectedResult(request), 12)
    assert.deepEqual(checkRound(history, [{ ...accepted, id }]), [])
    const wrong = checkRound({ ...history, results: { [id]: '24' } }, [{ ...accepted, id }])
    assert.deepEqual(
      wrong.map(({ rule }) => rule),
      ['result'],
    )
    const lost = checkRound(history, [
      { ...accepted, id },
      { ...accepted, id: gone, key: 'other' },
    ])
    assert.deepEqual(
      lost.map(({ rule }) => rule),
      ['nothing-lost'],
    )
  })

  test('an option that makes no sense is refused with what it may be', () => {
    for (const args of [['--minutes', 'x'], ['--minutes', '0'], ['--store', 'redis'], ['--seed', '-1'], ['--what']])
      assert.throws(() => parseOptions(args), UsageError)
    assert.deepEqual(parseOptions(['--minutes', '0.5', '--seed', '7']), {
      minutes: 0.5,
      store: 'sqlite',
      seed: 7,
      json: false,
    })
  })
})
