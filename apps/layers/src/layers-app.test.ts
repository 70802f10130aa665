import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { createEngine } from '@headrace/engine'
import { addLayer, getLayer, makeSampleLayers, openCatalogue, removeLayer } from '@headrace/geo'
import { createKey, createServer } from '@headrace/server'
import { openSqliteStore } from '@headrace/store-sqlite'
import sharp from 'sharp'
import { layersApp } from './layers-app.ts'

const repository = resolve(import.meta.dirname, '../../..')
const dataDir = process.env.HEADRACE_TEST_DATA ?? resolve(repository, '../shared/data')
const nlcdPath = join(dataDir, 'watershed-sample/delaware/NLCD_DE-clipped.tif')
const skip = existsSync(nlcdPath) || process.env.CI ? false : `no sample data at ${dataDir}; set HEADRACE_TEST_DATA`

/** A server over an empty catalogue, or over a copy of this folder's. */
async function open(copyOf?: string) {
  const dir = await mkdtemp(join(tmpdir(), 'headrace-layers-'))
  if (copyOf !== undefined) await cp(copyOf, dir, { recursive: true })
  const catalogue = await openCatalogue(dir)
  const store = await openSqliteStore(join(dir, 'jobs.db'))
  const engine = createEngine({ store, tasks: [] })
  const server = await createServer({ engine, apps: [layersApp({ catalogue })], version: '0.1.0' })
  const { key } = await createKey(store, { owner: 'ada', scopes: ['read-own'], name: 'test' })
  return {
    catalogue,
    server,
    get: async (url: string, headers: Record<string, string> = {}) =>
      await server.inject({ url, headers: { authorization: `Bearer ${key}`, ...headers } }),
    async [Symbol.asyncDispose]() {
      await server.close()
      await store[Symbol.asyncDispose]()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Made once, for it takes a second or two. */
let sampleDir: Promise<string> | undefined
after(async () => rm((await sampleDir) ?? '', { recursive: true, force: true }))

async function openWithSample() {
  sampleDir ??= makeSampleDir()
  return open(await sampleDir)
}

async function makeSampleDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'headrace-sample-'))
  const catalogue = await openCatalogue(dir)
  for (const layer of (await makeSampleLayers(join(dir, 'sample'))).layers) await addLayer(catalogue, layer)
  return dir
}

test('an empty catalogue is an empty list', async () => {
  await using here = await open()
  assert.deepEqual((await here.get('/layers')).json(), { layers: [] })
})

test('layers are listed with grid, extent and legend, and the sample says that it is synthetic', async () => {
  await using here = await openWithSample()
  const { layers } = (await here.get('/layers')).json()
  assert.deepEqual(
    layers.map((layer: { name: string; synthetic: boolean }) => [layer.name, layer.synthetic]),
    [
      ['sample-land', true],
      ['sample-soil', true],
    ],
  )
  const land = (await here.get('/layers/sample-land')).json()
  assert.deepEqual(land, layers[0])
  assert.deepEqual(
    [land.crs, land.rows, land.cols, land.pixelSize, land.kind, land.nodata],
    ['EPSG:5070', 1024, 1024, [30, 30], 'categorical', null],
  )
  assert.deepEqual(land.classes[0], { value: 11, name: 'Open Water', color: '#466b9f' })
  const [west, south, east, north] = land.bboxLonLat
  assert.ok(west < -75.53 && -75.53 < east && south < 40.2 && 40.2 < north)
})

test('a raster that someone adds is not synthetic', { skip }, async () => {
  await using here = await open()
  await addLayer(here.catalogue, { path: nlcdPath, name: 'nlcd', title: 'Delaware' })
  const layer = (await here.get('/layers/nlcd')).json()
  assert.deepEqual([layer.title, layer.synthetic, layer.nodata, layer.classes], ['Delaware', false, 128, []])
})

test('a tile shows the layer’s colours where it lies, and is clear beyond it', async () => {
  await using here = await openWithSample()
  const tile = await here.get('/layers/sample-land/tiles/11/594/774.png')
  assert.equal(tile.statusCode, 200)
  assert.equal(tile.headers['content-type'], 'image/png')
  const pixels = await sharp(tile.rawPayload).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  assert.deepEqual([pixels.info.width, pixels.info.height], [256, 256])
  const colors = new Set<string>()
  for (let i = 0; i < pixels.data.length; i += 4) {
    if (pixels.data[i + 3] === 255) colors.add(`#${pixels.data.subarray(i, i + 3).toString('hex')}`)
  }
  assert.ok(colors.size > 5, `${colors.size} colours`)
  const { classes } = (await here.get('/layers/sample-land')).json()
  const legend = new Set(classes.map((one: { color: string }) => one.color))
  for (const color of colors) assert.ok(legend.has(color), color)

  const beyond = await here.get('/layers/sample-land/tiles/11/0/0.png')
  assert.equal(beyond.statusCode, 200)
  const { channels } = await sharp(beyond.rawPayload).ensureAlpha().stats()
  assert.equal(channels[3]?.max, 0)
})

test('a tile that names its picture may be kept for ever, any other is asked after again', async () => {
  await using here = await openWithSample()
  const { tiles } = (await here.get('/layers/sample-land')).json()
  const url = tiles.replace('{z}', '9').replace('{x}', '148').replace('{y}', '193')
  const kept = await here.get(url)
  assert.equal(kept.headers['cache-control'], 'private, max-age=31536000, immutable')
  const plain = await here.get(url.split('?')[0])
  assert.equal(plain.headers['cache-control'], 'private, no-cache')
  const { etag } = plain.headers
  const again = await here.get(url, { 'if-none-match': `"other", W/${etag}` })
  assert.equal(again.statusCode, 304)
  assert.equal(again.body, '')
})

test('a layer that was replaced has other tiles under the same address', async () => {
  await using here = await openWithSample()
  const url = '/layers/sample-land/tiles/9/148/193.png'
  const before = await here.get(url)
  const path = join(here.catalogue.folder, '../sample/sample-soil.tif')
  await addLayer(here.catalogue, { path, name: 'sample-land', replace: true })
  const then = await here.get(url, { 'if-none-match': String(before.headers.etag) })
  assert.equal(then.statusCode, 200)
  assert.notEqual(then.headers.etag, before.headers.etag)
})

test('an address that is not on the map is refused', async () => {
  await using here = await openWithSample()
  for (const address of [
    'x/0/0',
    '0/1/0',
    '0/0/1',
    '25/0/0',
    '-1/0/0',
    '1.5/0/0',
    '3/0/08',
    '3/1e0/0',
    '99999999999/0/0',
  ]) {
    const response = await here.get(`/layers/sample-land/tiles/${address}.png`)
    assert.equal(response.statusCode, 400, address)
    assert.equal(response.json().code, 'tile_address_invalid', address)
  }
})

test('a layer that is not there is 404, whatever its name', async () => {
  await using here = await openWithSample()
  await removeLayer(here.catalogue, 'sample-soil')
  for (const name of ['sample-soil', 'Nlcd', '..%2f..%2fetc%2fpasswd', 'a'.repeat(200)]) {
    for (const url of [`/layers/${name}`, `/layers/${name}/tiles/0/0/0.png`]) {
      const response = await here.get(url)
      assert.equal(response.statusCode, 404, url)
      assert.match(response.json().code, /^layer_(not_found|name_invalid)$/)
    }
  }
})

test('a damaged layer is an error that names it, and no path of this machine', async () => {
  await using here = await openWithSample()
  const { file } = await getLayer(here.catalogue, 'sample-land')
  await truncate(join(here.catalogue.folder, file), 100)
  const response = await here.get('/layers/sample-land/tiles/9/148/193.png')
  assert.equal(response.statusCode, 500)
  assert.equal(response.json().code, 'layer_damaged')
  assert.match(response.json().detail, /headrace layers add .* --name sample-land --replace/)
  assert.ok(!response.body.includes(here.catalogue.folder))
})

test('no route of the app answers without a key that may read', async () => {
  await using here = await openWithSample()
  const own = here.server.routes().filter(({ url }) => url.startsWith('/layers'))
  assert.equal(own.length, 3)
  for (const { url } of own) {
    const path = url.replace(':name', 'sample-land').replace(':z/:x/:y', '0/0/0')
    assert.equal((await here.server.inject({ url: path })).statusCode, 401, path)
  }
})
