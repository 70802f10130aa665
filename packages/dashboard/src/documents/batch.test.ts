import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DocumentListed } from '@headrace/wire'
import { countBatch, type FileUpload, latestOf } from './batch.ts'

const listed = (jobID: string, more: Partial<DocumentListed>): DocumentListed => ({
  jobID,
  name: `${jobID}.pdf`,
  state: 'running',
  progress: 0,
  created: '2030-01-01T00:00:00Z',
  tags: [],
  ...more,
})
const file = { key: 1, batch: 'b', name: 'a.pdf', sizeBytes: 100 }

test('a batch counts each file once, whether it is on its way, submitted, or known to the server', () => {
  const uploads: FileUpload[] = [
    { ...file, state: 'queued' },
    { ...file, state: 'uploading', sentBytes: 50 },
    { ...file, state: 'failed', message: 'It is too large.' },
    { ...file, state: 'submitted', jobID: 'unseen' },
    { ...file, state: 'submitted', jobID: 'half' },
  ]
  const documents = [
    listed('half', { progress: 0.5 }),
    listed('read', { state: 'succeeded', progress: 1 }),
    listed('failed', { state: 'failed' }),
  ]
  const { fraction, ...counts } = countBatch(uploads, documents)
  assert.deepEqual(counts, { all: 7, uploading: 2, reading: 2, read: 1, failed: 2 })
  // Queued 0, uploading 1/4, failed upload 1, unseen 1/2, half 3/4, read 1, failed 1; of seven.
  assert.equal(fraction, 4.5 / 7)
  assert.equal(countBatch([], []).fraction, 0)
})

test('a document whose failed pages are read again stands aside for the one that reads them', () => {
  const documents = [listed('second', { again: 'first' }), listed('first', { state: 'failed' })]
  assert.deepEqual(
    latestOf(documents).map(({ jobID }) => jobID),
    ['second'],
  )
  const { all, failed } = countBatch([{ ...file, state: 'submitted', jobID: 'first' }], documents)
  assert.deepEqual([all, failed], [1, 0])
})
