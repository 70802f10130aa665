import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DeploymentState, placeJob } from './deployment.ts'

const states = (all: Record<string, DeploymentState>) => new Map(Object.entries(all))

test('a job that names no deployment goes to the active one, or to workers without one', () => {
  assert.deepEqual(placeJob({}, states({ blue: 'draining', green: 'active' })), { to: 'green' })
  assert.deepEqual(placeJob({}, states({ blue: 'dark' })), { to: '' })
  assert.deepEqual(placeJob({ deployment: '' }, states({ blue: 'active' })), { to: '' })
})

test('a job that names one goes there while it takes jobs, known or not', () => {
  const known = states({ blue: 'active', green: 'dark', old: 'draining', gone: 'retired' })
  for (const deployment of ['blue', 'green', 'new'])
    assert.deepEqual(placeJob({ deployment }, known), { to: deployment })
  assert.deepEqual(placeJob({ deployment: 'old' }, known), { refused: 'deployment_draining' })
  assert.deepEqual(placeJob({ deployment: 'gone' }, known), { refused: 'deployment_retired' })
})

test('a retry of a job whose deployment takes no more goes to the active one', () => {
  const retry = { deployment: 'gone', retryOf: 'a job' }
  assert.deepEqual(placeJob(retry, states({ gone: 'retired', blue: 'active' })), { to: 'blue' })
  assert.deepEqual(placeJob(retry, states({ gone: 'retired' })), { refused: 'deployment_retired' })
})
