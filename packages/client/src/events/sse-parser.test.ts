import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSseParser, type ServerSentEvent } from './sse-parser.ts'

const encoder = new TextEncoder()

function parse(text: string): ServerSentEvent[] {
  return createSseParser().push(encoder.encode(text))
}

function dataOf(text: string): string[] {
  return parse(text).map((event) => event.data)
}

test('an event is given at the blank line that ends it, with its type and id', () => {
  assert.deepEqual(parse('event: log\nid: 7\ndata: hello\n\n'), [{ type: 'log', data: 'hello', lastEventId: '7' }])
})

test('several data lines are one text with line feeds between', () => {
  assert.deepEqual(dataOf('data: YHOO\ndata: +2\ndata: 10\n\n'), ['YHOO\n+2\n10'])
})

test('lines may end in CR, LF or CRLF', () => {
  assert.deepEqual(dataOf('data: a\r\rdata: b\r\n\r\ndata: c\n\n'), ['a', 'b', 'c'])
})

test('a comment is skipped, and a field without a colon has an empty value', () => {
  assert.deepEqual(dataOf(': beat\n\ndata\n\ndata\ndata\n\ndata:\n'), ['', '\n'])
})

test('only the first blank after the colon is dropped', () => {
  assert.deepEqual(dataOf('data:test\n\ndata: test\n\ndata:  test\n\n'), ['test', 'test', ' test'])
})

test('an event that the end of the stream cuts off is not given, and its id does not count', () => {
  const parser = createSseParser()
  assert.equal(parser.push(encoder.encode('id: 1\ndata: whole\n\nid: 2\ndata: cut')).length, 1)
  assert.equal(parser.lastEventId, '1')
})

test('an id lasts until another comes; an empty one takes it back; one with a NUL is ignored', () => {
  const ids = parse('id: 1\ndata: a\n\ndata: b\n\nid: 2\0\ndata: c\n\nid\ndata: d\n\n').map(
    (event) => event.lastEventId,
  )
  assert.deepEqual(ids, ['1', '1', '1', ''])
})

test('an id without data is known without an event', () => {
  const parser = createSseParser()
  assert.deepEqual(parser.push(encoder.encode('id: 42\n\n')), [])
  assert.equal(parser.lastEventId, '42')
})

test('an event without data is not given, and its type does not stick to the next one', () => {
  assert.deepEqual(parse('event: odd\n\ndata: x\n\n'), [{ type: 'message', data: 'x', lastEventId: '' }])
})

test('retry is read when it is digits only', () => {
  const parser = createSseParser()
  parser.push(encoder.encode('retry: 1500\n\n'))
  parser.push(encoder.encode('retry: soon\n\n'))
  assert.equal(parser.retryMs, 1500)
})

test('a leading byte order mark is dropped', () => {
  assert.deepEqual(dataOf('\uFEFFdata: a\n\n'), ['a'])
})

test('the same events come out wherever the bytes are cut, even within a character or a CRLF', () => {
  const text = '\uFEFFid: 1\r\ndata: snow ❄\r\ndata: 𝄞\r\n\r\n: beat\r\revent: log\ndata: last\n\n'
  const bytes = encoder.encode(text)
  const whole = parse(text)
  assert.equal(whole.length, 2)
  for (let cut = 0; cut <= bytes.length; cut++) {
    const parser = createSseParser()
    assert.deepEqual([...parser.push(bytes.slice(0, cut)), ...parser.push(bytes.slice(cut))], whole)
  }
  const byByte = createSseParser()
  assert.deepEqual(
    [...bytes].flatMap((byte) => byByte.push(Uint8Array.of(byte))),
    whole,
  )
})
