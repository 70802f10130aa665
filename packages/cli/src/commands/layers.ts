import type { Layer } from '@headrace/geo'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type Cli, examples, optionsOf, present } from '../cli.ts'
import { requireDataFolder } from '../data-folder.ts'
import { UsageError } from '../errors.ts'
import { readJsonFile } from '../inputs/json-file.ts'
import { parseInteger } from '../inputs/options.ts'
import { liveLines } from '../terminal/live-lines.ts'
import { bar, percent } from '../terminal/progress-bar.ts'
import { type Column, table } from '../terminal/table.ts'

type AddOptions = {
  readonly name: string
  readonly title?: string
  readonly crs?: string
  readonly nodata?: number | null
  readonly band?: number
  readonly kind?: Layer['kind']
  readonly classes?: string
  readonly replace?: boolean
}

/** `headrace layers`: on the data folder itself; a running server sees the change at once. */
export function layersCommand(cli: Cli): Command {
  return new Command('layers')
    .description('add, list and remove raster layers, in the data folder itself')
    .addCommand(addCommand(cli))
    .addCommand(listCommand(cli))
    .addCommand(removeCommand(cli))
    .addHelpText('after', examples('headrace layers add nlcd.tif --name nlcd', 'headrace layers list'))
}

function addCommand(cli: Cli): Command {
  return new Command('add')
    .description('add a GeoTIFF; it is copied, and the original is not needed afterwards')
    .argument('<file>', 'the GeoTIFF')
    .requiredOption('--name <name>', 'what jobs call it: letters a-z, digits and hyphens')
    .option('--title <title>', 'what people call it')
    .option('--crs <crs>', 'EPSG:5070 or a proj4 definition, instead of what the file says')
    .option('--nodata <value>', 'the value of missing cells, or none, instead of what the file says', parseNodata)
    .option('--band <number>', 'which band, from 1; needed where the file has several', parseInteger)
    .addOption(new Option('--kind <kind>', 'what its numbers are').choices(['categorical', 'continuous']))
    .option('--classes <classes>', 'what its values stand for: nlcd, soil-groups, or @file.json')
    .option('--replace', 'take the place of a layer of this name')
    .addHelpText(
      'after',
      examples(
        'headrace layers add nlcd.tif --name nlcd --title "Land cover 2019" --classes nlcd',
        'headrace layers add soil.tif --name soil --crs EPSG:5070 --nodata 0 --replace',
      ),
    )
    .action(async (path: string, _options, command: Command) => {
      const options = optionsOf<AddOptions>(command)
      const { name, title, crs, nodata, band, kind, replace } = options
      const { addLayer, openCatalogue } = await loadGeo()
      const classes = await readClasses(options.classes)
      const catalogue = await openCatalogue(options.data)
      const lines = liveLines(cli.terminal)
      const onProgress = (fraction: number, message: string) =>
        lines.show([`${name} ▕${bar(fraction, 24)}▏${percent(fraction)}  ${message}`])
      const layer = await addLayer(catalogue, {
        path,
        name,
        title,
        crs,
        nodata,
        band,
        kind,
        classes,
        replace,
        onProgress,
      })
      lines.end()
      present(cli, options, layer, addedText)
    })
}

function listCommand(cli: Cli): Command {
  return new Command('list')
    .description('list the layers')
    .addHelpText('after', examples('headrace layers list', 'headrace layers list --json'))
    .action(async (_options, command: Command) => {
      const options = optionsOf(command)
      await requireDataFolder(options.data)
      const { listLayers, openCatalogue } = await loadGeo()
      const layers = await listLayers(await openCatalogue(options.data))
      const empty = 'There is no layer. Add one: headrace layers add nlcd.tif --name nlcd'
      present(cli, options, { layers }, () => (layers.length > 0 ? table(cli.terminal, COLUMNS, layers) : empty))
    })
}

function removeCommand(cli: Cli): Command {
  return new Command('remove')
    .description('remove a layer')
    .argument('<name>', 'as "headrace layers list" shows it')
    .addHelpText('after', examples('headrace layers remove nlcd'))
    .action(async (name: string, _options, command: Command) => {
      const options = optionsOf(command)
      await requireDataFolder(options.data)
      const { openCatalogue, removeLayer } = await loadGeo()
      await removeLayer(await openCatalogue(options.data), name)
      present(cli, options, { name, removed: true }, () => `Layer ${name} is removed.`)
    })
}

/** Well-known classes by name, or the caller's own: a JSON list of `{ value, name, color }`. Geo checks what is in it. */
async function readClasses(given: string | undefined): Promise<Layer['classes'] | undefined> {
  if (given === undefined) return undefined
  const { nlcdClasses, soilGroupClasses } = await loadGeo()
  if (given === 'nlcd') return nlcdClasses
  if (given === 'soil-groups') return soilGroupClasses
  if (!given.startsWith('@')) {
    throw new UsageError(`"${given}" names no classes. Give nlcd, soil-groups, or @file.json with a list of them.`)
  }
  const classes = await readJsonFile(given.slice(1))
  if (Array.isArray(classes)) return classes as unknown as Layer['classes'] // sound enough: addLayer checks each
  throw new UsageError(
    `${given.slice(1)} must hold a list, such as [{"value": 11, "name": "Open Water", "color": "#466b9f"}].`,
  )
}

/** With its image library, which most commands do without. */
function loadGeo() {
  return import('@headrace/geo')
}

const COLUMNS: readonly Column<Layer>[] = [
  { title: 'LAYER', text: (layer) => layer.name, style: () => 'bold' },
  { title: 'TITLE', text: (layer) => layer.title, isFlexible: true },
  { title: 'KIND', text: (layer) => layer.kind },
  { title: 'CRS', text: (layer) => layer.crs.name },
  { title: 'CELLS', text: ({ grid }) => `${grid.rows} × ${grid.cols}`, align: 'right' },
  { title: 'CLASSES', text: (layer) => String(layer.classes.length), align: 'right' },
  { title: 'MB', text: (layer) => (layer.sizeBytes / 1e6).toFixed(1), align: 'right' },
  { title: 'ADDED', text: (layer) => layer.addedAt.slice(0, 10) },
]

function addedText({ name, grid, crs, kind }: Layer): string {
  return `Layer ${name} is added: ${grid.rows} × ${grid.cols} cells in ${crs.name}, ${kind}.`
}

function parseNodata(text: string): number | null {
  if (text === 'none') return null
  const value = Number(text)
  if (text.trim() !== '' && !Number.isNaN(value)) return value
  throw new InvalidArgumentError('Give a number, or none where every value counts.')
}
