import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordingTerminal } from '../testing/recording-terminal.ts'
import { type Column, table } from './table.ts'

type Row = { readonly name: string; readonly size: number }

const columns: readonly Column<Row>[] = [
  { title: 'NAME', text: (row) => row.name, isFlexible: true },
  { title: 'SIZE', text: (row) => String(row.size), align: 'right' },
]

test('columns are as wide as their widest cell, and numbers stand to the right', () => {
  const rows = [
    { name: 'a', size: 5 },
    { name: 'longer', size: 12_345 },
  ]
  assert.equal(table(recordingTerminal(), columns, rows), 'NAME     SIZE\na           5\nlonger  12345')
})

test('a terminal that is too narrow cuts the columns that may give way, and says that it did', () => {
  const rows = [{ name: 'a name of some length', size: 1 }]
  assert.equal(table(recordingTerminal({ columns: 16 }), columns, rows), 'NAME        SIZE\na name of…     1')
})

test('where nobody looks, nothing is cut', () => {
  const rows = [{ name: 'x'.repeat(300), size: 1 }]
  assert.ok(table(recordingTerminal(), columns, rows).includes('x'.repeat(300)))
})

test('a cell can neither break its line nor command the terminal', () => {
  const rows = [{ name: 'a\nb\u001b[2Jc\u202e', size: 1 }]
  assert.equal(table(recordingTerminal(), columns, rows).split('\n')[1], 'a b\ufffd[2Jc\ufffd     1')
})
