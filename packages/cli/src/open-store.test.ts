import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storeName } from './open-store.ts'

test('a worker says whose jobs it takes: the folder, the file or the database, never the password', () => {
  assert.equal(storeName('/data', undefined), '/data')
  assert.equal(storeName('/data', 'sqlite:///jobs.db'), '/jobs.db')
  assert.equal(storeName('/data', 'postgres://ada:secret@db.example:5433/jobs'), 'PostgreSQL at db.example:5433/jobs')
  assert.equal(storeName('/data', 'postgres:///jobs?host=/run/postgresql'), 'PostgreSQL at the local socket/jobs')
})
