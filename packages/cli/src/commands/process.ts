import type { Json, ProcessDescription } from '@headrace/wire'
import { Command } from 'commander'
import { type Cli, connectAs, examples, optionsOf, present } from '../cli.ts'
import { type Column, table } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** `headrace process <id>` */
export function processCommand(cli: Cli): Command {
  return new Command('process')
    .description('show a process: what it takes and what it gives')
    .argument('<process>', 'as "headrace processes" lists it')
    .addHelpText('after', examples('headrace process echo', 'headrace process watershed.analyze-land --json'))
    .action(async (id: string, _options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      present(cli, options, await client.process(id), (process) => describe(cli.terminal, process))
    })
}

type Value = { readonly id: string; readonly type: string; readonly isRequired: boolean; readonly about: string }

const COLUMNS: readonly Column<Value>[] = [
  { title: '', text: () => ' ' },
  { title: 'NAME', text: (value) => value.id, style: () => 'bold' },
  { title: 'TYPE', text: (value) => value.type },
  { title: 'NEEDED', text: (value) => (value.isRequired ? 'yes' : 'no') },
  { title: 'ABOUT', text: (value) => value.about, isFlexible: true },
]

function describe(terminal: Terminal, process: ProcessDescription): string {
  const inputs = Object.entries(process.inputs).map(([id, input]) => toValue(id, input, input.minOccurs > 0))
  const outputs = Object.entries(process.outputs).map(([id, output]) => toValue(id, output, true))
  return [
    `${terminal.paint('bold', process.id)}  ${process.version}  ${process.title}`,
    ...(process.description ? [process.description] : []),
    '',
    'Inputs',
    table(terminal, COLUMNS, inputs),
    '',
    'Outputs',
    table(
      terminal,
      COLUMNS.filter(({ title }) => title !== 'NEEDED'),
      outputs,
    ),
  ].join('\n')
}

function toValue(
  id: string,
  value: { readonly title?: string; readonly description?: string; readonly schema: Json },
  isRequired: boolean,
): Value {
  return { id, isRequired, type: typeText(value.schema), about: value.description ?? value.title ?? '' }
}

/** @example typeText({ type: 'array', items: { type: 'integer' } }) // 'array of integer' */
export function typeText(schema: Json): string {
  if (schema === null || typeof schema !== 'object' || Array.isArray(schema)) return 'any'
  const { type, items, anyOf, oneOf, enum: values } = schema as { readonly [key: string]: Json } // sound: an object that is no array
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' | ')
  const either = anyOf ?? oneOf
  if (Array.isArray(either)) return [...new Set(either.map((one) => typeText(one)))].join(' | ')
  if (type === 'array' && items !== undefined) return `array of ${typeText(items)}`
  if (Array.isArray(type)) return type.join(' | ')
  return typeof type === 'string' ? type : 'any'
}
