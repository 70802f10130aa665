import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bar, percent } from './progress-bar.ts'

test('a bar is drawn in eighths, and is as wide whatever it shows', () => {
  assert.deepEqual(
    [0, 0.5, 0.53125, 1, 7, -1].map((fraction) => bar(fraction, 4)),
    ['    ', '██  ', '██▏ ', '████', '████', '    '],
  )
})

test('only what is whole is a hundred percent', () => {
  assert.deepEqual([0, 0.29, 0.999, 1].map(percent), ['  0 %', ' 29 %', ' 99 %', '100 %'])
})
