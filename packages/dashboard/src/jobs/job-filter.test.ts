import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filterFromQuery, filterToQuery, filterToRequest, isWholeId, looksLikeId } from './job-filter.ts'

const from = (query: string) => filterFromQuery(new URLSearchParams(query))

test('a filter survives its way through the URL', () => {
  const query = 'state=failed&process=watershed.analyze-land&queue=geo&tag=demo&q=schuylkill&since=24h&children=shown'
  assert.equal(filterToQuery(from(query)).toString(), query)
})

test('an empty URL shows all jobs that no workflow started, and stays empty', () => {
  assert.deepEqual(from(''), { children: false })
  assert.equal(filterToQuery(from('')).toString(), '')
  assert.equal(filterToRequest(from(''), 0).toString(), 'rootsOnly=true')
})

test('values that mean nothing are dropped, not sent', () => {
  assert.deepEqual(from('state=melted&since=yesterday&q=%20%20'), { children: false })
})

test('searching for an id looks through children too', () => {
  const request = filterToRequest(from('q=01998a10-7c3e'), 0)
  assert.equal(request.get('q'), '01998a10-7c3e')
  assert.equal(request.get('rootsOnly'), 'false')
  assert.equal(filterToRequest(from('q=mill+creek'), 0).get('rootsOnly'), 'true')
})

test('an id is told from a word that is merely hexadecimal', () => {
  assert.equal(looksLikeId('decade'), false)
  assert.equal(looksLikeId('01998a10'), true)
  assert.equal(isWholeId('01998a10-7c3e-7000-8000-000000000001'), true)
  assert.equal(isWholeId('01998a10-7c3e'), false)
})

test('a time becomes an interval that is open at its end', () => {
  const request = filterToRequest(from('since=1h'), Date.UTC(2030, 0, 1, 12))
  assert.equal(request.get('datetime'), '2030-01-01T11:00:00.000Z/..')
})
