import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job, WorkerRow } from '@headrace/engine'
import { toWireWorker } from './wire-worker.ts'

const worker = {
  id: 'w1',
  name: 'one',
  host: 'mill',
  pid: 1,
  queues: { gpu: 2 },
  running: 2,
  startedAt: 0,
  leaseUntil: 0,
  deployment: '',
  labels: ['gpu'],
  offers: { cpu: 4, slots: { licence: 2 } },
} as unknown as WorkerRow // sound: all that is read
const job = (over: object) => ({ state: 'running', kind: 'task', worker: 'w1', ...over }) as unknown as Job // sound: as above

test('what is free of a worker is what it offers, less what its running tasks need', () => {
  const running = [
    job({ needs: { cpu: 1.5, slots: { licence: 1 } } }),
    job({ needs: { cpu: 1 } }),
    job({ needs: { cpu: 1 }, worker: 'w2' }),
    job({ needs: { cpu: 1 }, kind: 'workflow' }),
    job({}),
  ]
  const wire = toWireWorker(worker, { running, draining: new Set(['w1']) })
  assert.deepEqual(wire.resources, { cpu: { total: 4, free: 1.5 }, 'slots.licence': { total: 2, free: 1 } })
  assert.deepEqual([wire.draining, 'deployment' in wire, wire.labels], [true, false, ['gpu']])
})
