import type { ModelFigures, PredictAnswer, WireModel, WireModelVersion } from '@headrace/wire'
import { iso } from './fake-jobs.ts'

const FIGURES: ModelFigures = {
  requests: 12_480,
  rows: 13_020,
  answered: 12_401,
  refused: 61,
  tooLate: 18,
  failed: 0,
  queuedRows: 3,
  queuedRowsMost: 256,
  batches: 1_902,
  batchRowsMean: 6.8,
  batchSizes: { 1: 12, 6: 800, 8: 1_090 },
  latencyMs: { p50: 7.2, p95: 15.4, p99: 21.9, max: 84.1 },
  runMs: { p50: 3.1, p99: 8.8 },
}

const VERSION: WireModelVersion = {
  version: '2',
  title: 'Trees and roofs',
  state: 'loaded',
  isDefault: false,
  artifact: `sha256:${'0'.repeat(64)}`,
  sizeBytes: 14_200_000,
  addedAt: iso(0),
  addedBy: 'ada',
  inputs: [{ name: 'image', dtype: 'float32', shape: ['batch', 3, 224, 224], image: { layout: 'nchw', color: 'rgb' } }],
  outputs: [{ name: 'scores', kind: 'classification' }],
  limits: { maxBatch: 8, maxDelayMs: 5, queueMax: 256, deadlineMs: 2_000, threads: 1 },
  loadMs: 412,
  figures: FIGURES,
}

/** One model of pictures with two versions, and one of rows that nobody has asked. */
export function fakeModels(): WireModel[] {
  const { figures: _, loadMs: __, title: ___, ...bare } = VERSION
  return [
    { name: 'aerial', defaultVersion: '1', versions: [VERSION, { ...VERSION, version: '1', isDefault: true }] },
    {
      name: 'prices',
      defaultVersion: '2024.1',
      versions: [
        {
          ...bare,
          version: '2024.1',
          isDefault: true,
          state: 'resting',
          inputs: [
            {
              name: 'row',
              dtype: 'float32',
              shape: ['batch', 2],
              table: { columns: [{ name: 'area' }, { name: 'rooms' }] },
            },
          ],
          outputs: [{ name: 'price', kind: 'regression' }],
        },
      ],
    },
  ]
}

export const FAKE_ANSWER: PredictAnswer = {
  model: 'aerial',
  version: '2',
  predictions: [
    {
      scores: {
        kind: 'classification',
        classes: [
          { label: 'roof', index: 1, score: 0.9132 },
          { label: 'tree', index: 0, score: 0.0721 },
          { label: 'water', index: 2, score: 0.0147 },
        ],
      },
    },
  ],
  timing: { queuedMs: 4.8, runMs: 3.2, batchRows: 6 },
}
