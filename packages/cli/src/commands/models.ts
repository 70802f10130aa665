import { openAsBlob } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { ModelQuestion } from '@headrace/client'
import type { Json, PredictAnswer, WireModel, WireModelVersion, WirePredictedOutput } from '@headrace/wire'
import { Command } from 'commander'
import { type Cli, type CommonOptions, connectAs, examples, optionsOf, present } from '../cli.ts'
import { UsageError } from '../errors.ts'
import { parseJson, readJsonFile } from '../inputs/json-file.ts'
import { collect, parseInteger } from '../inputs/options.ts'
import { ageText } from '../terminal/duration.ts'
import { oneLine } from '../terminal/printable.ts'
import { type Column, table } from '../terminal/table.ts'

type AddOptions = CommonOptions & { readonly manifest: string; readonly weights?: string }

type PredictOptions = CommonOptions & {
  readonly modelVersion?: string
  readonly image?: readonly string[]
  readonly inputs?: string
  readonly rows?: string
  readonly topK?: number
  readonly deadline?: number
}

/** `headrace models` */
export function modelsCommand(cli: Cli): Command {
  return new Command('models')
    .description('deploy ONNX models, choose the version that answers, and ask them')
    .addCommand(addCommand(cli))
    .addCommand(listCommand(cli))
    .addCommand(defaultCommand(cli))
    .addCommand(removeCommand(cli))
    .addCommand(predictCommand(cli))
    .addHelpText(
      'after',
      examples(
        'headrace models add digits.onnx --manifest digits.json',
        'headrace models list',
        'headrace models predict digits --image seven.png',
      ),
    )
}

function addCommand(cli: Cli): Command {
  return new Command('add')
    .description('deploy a model; it is checked, loaded and run once before it is there')
    .argument('<file>', 'the .onnx file')
    .requiredOption('--manifest <file>', 'what it takes and gives, as JSON; apps/models/README.md shows one')
    .option('--weights <file>', 'a .safetensors file; without it, the one that the manifest names, beside the manifest')
    .addHelpText(
      'after',
      examples(
        'headrace models add digits.onnx --manifest digits.json',
        'headrace models add digits.onnx --manifest digits.json --weights retrained.safetensors',
      ),
    )
    .action(async (path: string, _options, command: Command) => {
      const options = optionsOf<AddOptions>(command)
      const manifest = await readJsonFile(options.manifest)
      const weightsPath = options.weights ?? weightsBeside(options.manifest, manifest)
      const file = await openFile(path)
      const weights = weightsPath === undefined ? undefined : await openFile(weightsPath)
      const { client } = await connectAs(cli, options)
      const added = await client.models.add({ file, manifest, weights })
      present(cli, options, added, ({ name, version, isDefault }) => {
        const which = isDefault
          ? 'It is the default version.'
          : `Make it the default: headrace models default ${name} ${version}`
        return `Version ${version} of ${name} is deployed. ${which}`
      })
    })
}

/** Only a plain name counts as one; whatever else stands there the server refuses. */
function weightsBeside(manifestPath: string, manifest: Json): string | undefined {
  const { weights } = manifest as { readonly weights?: { readonly file?: unknown } } // sound: it is looked at below
  const file = weights?.file
  return typeof file === 'string' && basename(file) === file ? join(dirname(manifestPath), file) : undefined
}

function listCommand(cli: Cli): Command {
  return new Command('list')
    .description('list the models and how their versions do')
    .addHelpText('after', examples('headrace models list', 'headrace models list --json'))
    .action(async (_options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      const models = await client.models.list()
      const rows = models.flatMap(({ name, versions }) => versions.map((version) => ({ name, ...version })))
      const empty = 'There is no model. Deploy one: headrace models add model.onnx --manifest model.json'
      present(cli, options, { models }, () =>
        rows.length > 0 ? table(cli.terminal, columnsAt(Date.now()), rows) : empty,
      )
    })
}

function defaultCommand(cli: Cli): Command {
  return new Command('default')
    .description('choose the version that answers where none is named')
    .argument('<name>', 'the model')
    .argument('<version>', 'one of its versions')
    .addHelpText('after', examples('headrace models default digits 2'))
    .action(async (name: string, version: string, _options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      present(
        cli,
        options,
        await client.models.setDefault(name, version),
        (model: WireModel) => `Version ${model.defaultVersion} of ${name} answers now.`,
      )
    })
}

function removeCommand(cli: Cli): Command {
  return new Command('remove')
    .description('remove a model, or one version of it')
    .argument('<name>', 'the model')
    .argument('[version]', 'only this version')
    .addHelpText('after', examples('headrace models remove digits 1', 'headrace models remove digits'))
    .action(async (name: string, version: string | undefined, _options, command: Command) => {
      const options = optionsOf(command)
      const { client } = await connectAs(cli, options)
      await client.models.remove(name, version)
      const what = version === undefined ? `The model ${name}` : `Version ${version} of ${name}`
      present(
        cli,
        options,
        { name, ...(version !== undefined && { version }), removed: true },
        () => `${what} is removed.`,
      )
    })
}

function predictCommand(cli: Cli): Command {
  return new Command('predict')
    .description('ask a model, and write what it says')
    .argument('<name>', 'the model')
    .option('--model-version <version>', 'instead of the default version')
    .option('--image <file>', 'a picture; may be repeated', collect)
    .option('--inputs <json>', 'its inputs by name, as JSON or @file.json')
    .option('--rows <json>', 'rows of its table, as JSON or @file.json')
    .option('--top-k <count>', 'how many of the best classes', parseInteger)
    .option('--deadline <ms>', 'milliseconds to the answer', parseInteger)
    .addHelpText(
      'after',
      examples(
        'headrace models predict digits --image seven.png',
        `headrace models predict line --inputs '{"x": [[1, 2]]}'`,
        'headrace models predict prices --rows @flats.json --json',
      ),
    )
    .action(async (name: string, _options, command: Command) => {
      const options = optionsOf<PredictOptions>(command)
      const { modelVersion: version, topK, deadline: deadlineMs } = options
      const question = await questionOf(options)
      const { client } = await connectAs(cli, options)
      present(cli, options, await client.models.predict(name, question, { version, topK, deadlineMs }), answerText)
    })
}

async function questionOf({ image, inputs, rows }: PredictOptions): Promise<ModelQuestion> {
  const given = [image, inputs, rows].filter((one) => one !== undefined)
  if (given.length !== 1) throw new UsageError('Say what the model is asked: one of --image, --inputs and --rows.')
  if (image !== undefined) return { images: await Promise.all(image.map(openFile)) }
  if (inputs !== undefined) return { inputs: asObject(await readJson(inputs, '--inputs')) }
  const list = await readJson(rows ?? '', '--rows')
  if (Array.isArray(list)) return { rows: list as readonly Json[] } // sound: JSON in a list is JSON
  throw new UsageError('--rows takes a list, such as [{"age": 40}].')
}

function readJson(given: string, option: string): Promise<Json> {
  return given.startsWith('@') ? readJsonFile(given.slice(1)) : Promise.resolve(parseJson(given, option))
}

function asObject(value: Json): Readonly<Record<string, Json>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, Json> // sound: it is no list
  throw new UsageError('--inputs takes an object by name, such as {"x": [[1, 2]]}.')
}

async function openFile(path: string): Promise<Blob> {
  try {
    return await openAsBlob(path)
  } catch (cause) {
    throw new UsageError(`The file ${path} cannot be read: ${(cause as Error).message}.`, { cause })
  }
}

function answerText({ predictions }: PredictAnswer): string {
  const many = predictions.length > 1
  return predictions
    .flatMap((prediction, at) =>
      Object.entries(prediction).map(
        ([name, output]) => `${many ? `${at + 1}  ` : ''}${oneLine(name)}  ${outputText(output)}`,
      ),
    )
    .join('\n')
}

/** @example outputText({ kind: 'classification', classes: [{ label: 'cat', index: 0, score: 0.98 }] }) // 'cat 0.98' */
function outputText(output: WirePredictedOutput): string {
  switch (output.kind) {
    case 'classification':
      return output.classes.map(({ label, score }) => `${oneLine(label)} ${numberText(score)}`).join(', ')
    case 'regression':
      return Object.entries(output.values)
        .map(
          ([field, value]) => `${oneLine(field)} ${numberText(value)}${output.unit ? ` ${oneLine(output.unit)}` : ''}`,
        )
        .join(', ')
    case 'tensor':
      return `[${output.shape.join(', ')}] ${output.data
        .slice(0, 20)
        .map((value) => (typeof value === 'number' ? numberText(value) : String(value)))
        .join(' ')}${output.data.length > 20 ? ' …' : ''}`
    default:
      return output satisfies never
  }
}

function numberText(value: number | null): string {
  return value === null ? 'none' : String(Number(value.toPrecision(4)))
}

type Row = WireModelVersion & { readonly name: string }

function columnsAt(now: number): readonly Column<Row>[] {
  return [
    { title: 'MODEL', text: ({ name }) => name, style: () => 'bold' },
    { title: 'VERSION', text: ({ version, isDefault }) => `${version}${isDefault ? ' (default)' : ''}` },
    { title: 'STATE', text: ({ state }) => state, style: ({ state }) => (state === 'loaded' ? 'green' : undefined) },
    { title: 'TITLE', text: ({ title }) => title ?? '', isFlexible: true },
    { title: 'REQUESTS', text: ({ figures }) => String(figures?.requests ?? ''), align: 'right' },
    { title: 'P50 MS', text: ({ figures }) => msText(figures?.latencyMs?.p50), align: 'right' },
    { title: 'P99 MS', text: ({ figures }) => msText(figures?.latencyMs?.p99), align: 'right' },
    { title: 'BATCH', text: ({ figures }) => figures?.batchRowsMean?.toFixed(1) ?? '', align: 'right' },
    { title: 'MB', text: ({ sizeBytes }) => (sizeBytes / 1e6).toFixed(1), align: 'right' },
    { title: 'ADDED', text: ({ addedAt }) => ageText(addedAt, now) },
  ]
}

function msText(ms: number | undefined): string {
  return ms === undefined ? '' : ms.toFixed(1)
}
