import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordingTerminal } from '../testing/recording-terminal.ts'
import { surveyText } from './survey-text.ts'

const survey = {
  survey: {
    name: 'land',
    categories: [
      { type: 'Open Water', area: 10_000, coverage: 0.25 },
      { type: 'Deciduous Forest', area: 30_000, coverage: 0.75 },
      { type: 'Perennial Ice/Snow', area: 0, coverage: 0 },
    ],
  },
}

test('a survey is a table with the largest class first, and without those that do not occur', () => {
  const lines = (surveyText(recordingTerminal(), survey) ?? '').split('\n')
  assert.deepEqual(lines, [
    'LAND COVER        HECTARES   SHARE',
    `Deciduous Forest       3.0  75.0 %  ${'█'.repeat(24)}`,
    `Open Water             1.0  25.0 %  ${'█'.repeat(8)}`,
    '4.0 ha in all',
  ])
})

test('the one output of a process without named ones is looked into', () => {
  assert.equal(surveyText(recordingTerminal(), { result: survey }), surveyText(recordingTerminal(), survey))
})

test('what is no survey is no table', () => {
  for (const other of [null, 3, [], {}, { survey: { categories: [] } }, { survey: { categories: [{ type: 'x' }] } }]) {
    assert.equal(surveyText(recordingTerminal(), other), undefined)
  }
})
