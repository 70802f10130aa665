import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseProgramEvent } from './program-event.ts'

test('each kind of event is read, and fields that are not known are ignored', () => {
  const lines: [line: string, event: object][] = [
    ['{"type":"progress","fraction":0.4,"eta":7}', { type: 'progress', fraction: 0.4 }],
    ['{"type":"progress","fraction":1,"message":"done"}', { type: 'progress', fraction: 1, message: 'done' }],
    ['{"type":"metric","name":"loss","step":4,"value":0.3}', { type: 'metric', name: 'loss', step: 4, value: 0.3 }],
    ['{"type":"log","level":"error","message":"oh"}', { type: 'log', level: 'error', message: 'oh' }],
    ['{"type":"log","message":"oh"}', { type: 'log', level: 'info', message: 'oh' }],
    ['{"type":"artifact","name":"a","path":"b"}', { type: 'artifact', name: 'a', path: 'b' }],
    [
      '{"type":"artifact","name":"a","path":"b","mediaType":"image/tiff"}',
      { type: 'artifact', name: 'a', path: 'b', mediaType: 'image/tiff' },
    ],
    ['{"type":"result","value":[1]}', { type: 'result', value: [1] }],
    ['{"type":"result"}', { type: 'result', value: null }],
    [
      '{"type":"error","message":"no","code":"bad","retryable":false}',
      { type: 'error', message: 'no', code: 'bad', retryable: false },
    ],
    ['{"type":"error","message":"no"}', { type: 'error', message: 'no' }],
  ]
  for (const [line, event] of lines) assert.deepEqual(parseProgramEvent(line), event)
})

test("the level names of Python's logging are taken for ours", () => {
  const levelOf = (level: string) => parseProgramEvent(JSON.stringify({ type: 'log', level, message: '' }))
  assert.deepEqual(levelOf('WARNING'), { type: 'log', level: 'warn', message: '' })
  assert.deepEqual(levelOf('critical'), { type: 'log', level: 'error', message: '' })
})

test('a line that is no event says why', () => {
  const lines: [line: string, why: RegExp][] = [
    ['', /not a JSON object/],
    ['{"type":"metric","name":"loss","step":1,"value":NaN}', /not a JSON object/],
    ['[1]', /not a JSON object/],
    ['null', /not a JSON object/],
    ['{}', /its type is none of/],
    ['{"type":"constructor"}', /its type is none of/],
    ['{"type":"progress","fraction":40}', /from 0 to 1/],
    ['{"type":"progress"}', /from 0 to 1/],
    ['{"type":"metric","name":"loss","step":1}', /step and value/],
    ['{"type":"metric","step":1,"value":1}', /name/],
    ['{"type":"log","level":"loud","message":"oh"}', /level/],
    ['{"type":"log","level":"info"}', /message/],
    ['{"type":"artifact","name":"a"}', /name and path/],
    ['{"type":"error"}', /message/],
  ]
  for (const [line, why] of lines) {
    const event = parseProgramEvent(line)
    assert.ok(event.type === 'invalid', line)
    assert.match(event.why, why)
  }
})
