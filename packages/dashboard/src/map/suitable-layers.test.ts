import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WireLayer } from '@headrace/wire'
import { suitableLayers } from './suitable-layers.ts'

const layer = (name: string, values: readonly number[], kind: WireLayer['kind'] = 'categorical') =>
  ({ name, kind, classes: values.map((value) => ({ value, name: '', color: '' })) }) as unknown as WireLayer // what is read

const LAYERS = [layer('land', [11, 21, 41, 82]), layer('soil', [1, 2, 3, 4]), layer('height', [], 'continuous')]
const names = (process: string) => suitableLayers(process, LAYERS).map((one) => one.name)

test('an analysis is offered only the layers that it can mean something on', () => {
  assert.deepEqual(names('watershed.analyze-land'), ['land'])
  assert.deepEqual(names('watershed.analyze-soil'), ['soil'])
  assert.deepEqual(names('watershed.analyze-anything'), ['land', 'soil'])
})
