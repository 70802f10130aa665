import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job, JobEvent, JobId } from '@headrace/engine'
import { checkPages, compareEndings } from './check-documents.ts'
import { runDocumentsCampaign } from './documents-campaign.ts'

test('documents whose worker is killed twice end as they do undisturbed, and only what a kill broke off is read again', {
  timeout: 600_000,
}, async () => {
  const report = await runDocumentsCampaign({ documents: 12, kills: 2, seed: 7 }, () => {})
  assert.deepEqual(report.findings, [])
  assert.ok(report.pages >= 10 && report.succeeded >= 10, JSON.stringify(report))
  assert.ok(report.lapsedJobs > 0, 'no kill broke anything off')
})

test('a document that ended otherwise, a page that two jobs had, and one that began again for no reason are found', () => {
  const [one, other] = [
    { name: 'a', result: '{}' },
    { name: 'b', result: '{}' },
  ]
  assert.deepEqual(compareEndings([one, other], [other, one]), [])
  const rules = (findings: readonly { readonly rule: string }[]) => findings.map(({ rule }) => rule)
  assert.deepEqual(rules(compareEndings([{ ...one, result: 'task_threw' }], [one, other])), [
    'same-result',
    'nothing-lost',
  ])
  const page = { task: 'documents.read-page', kind: 'task', parentId: 'd', tags: ['page-1'] }
  const jobs = ['x', 'y'].map((id) => ({ ...page, id })) as unknown as Job[] // what is looked at of a job
  const event = (jobId: string, kind: JobEvent['kind']) => ({ jobId: jobId as JobId, kind }) as JobEvent
  const events = [event('x', 'started'), event('x', 'started'), event('x', 'ended'), event('y', 'started')]
  assert.deepEqual(rules(checkPages(jobs, events)), ['page-once', 'repeated-alone', 'one-end'])
})
