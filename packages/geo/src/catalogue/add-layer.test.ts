import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { GeoError } from '../errors.ts'
import { bytesOfCells } from '../raster/cell-type.ts'
import { gdal, gdalCells, skipWithoutGdal } from '../testing/gdal.ts'
import { samplePath, skipWithoutSampleData } from '../testing/sample-data.ts'
import { repeatLine, seed, seededRandom } from '../testing/seeded-random.ts'
import { TemporaryFolder, TestCatalogue, writeSmallRaster } from '../testing/small-raster.ts'
import { addLayer } from './add-layer.ts'
import { getLayer, listLayers, openCatalogue, removeLayer } from './catalogue.ts'
import { openLayer } from './layer-handle.ts'

const nlcd = 'delaware/NLCD_DE-clipped.tif'
const samples = [
  nlcd,
  'delaware/soil-clipped-reduced.tif',
  'delaware/gSSURGO_DE_10m1-clipped.tif',
  'sao-miguel/clc2018_v2020_20u1.tif',
  'sao-miguel/eu_dem_v11.tif',
  'sao-miguel/gpw_v411_2020_count_2020.tif',
  'slope-zones/slope.tif',
  'slope-zones/slope_classes.tif',
  'slope-zones/all_nodata.tif',
]

const layerFile = (catalogue: { folder: string }, layer: { file: string }) => join(catalogue.folder, layer.file)

test('a layer is recorded with all that its file says', { skip: skipWithoutSampleData }, async () => {
  using folder = new TemporaryFolder()
  const catalogue = await openCatalogue(folder.path)
  const addedAt = new Date('2030-01-02T03:04:05Z')
  const classes = [{ value: 11, name: 'Open Water', color: '#466b9f' }]
  const layer = await addLayer(catalogue, { path: samplePath(nlcd), name: 'nlcd', title: 'NLCD', classes, addedAt })
  assert.deepEqual(layer.grid, {
    rows: 1000,
    cols: 1000,
    left: 1709015,
    top: 2050194.9999999991,
    cellWidth: 10,
    cellHeight: 10,
  })
  assert.equal(layer.crs.name, 'EPSG:5070')
  assert.equal(layer.nodata, 128) // the file says -128 of its unsigned bytes
  assert.equal(layer.kind, 'categorical')
  assert.deepEqual(layer.range, { min: 11, max: 95 })
  assert.equal(layer.addedAt, '2030-01-02T03:04:05.000Z')
  assert.deepEqual(
    layer.bboxLonLat.map((degrees) => degrees.toFixed(5)),
    ['-75.72534', '39.71528', '-75.58521', '39.82144'],
  )
  assert.deepEqual(await getLayer(catalogue, 'nlcd'), layer)
  assert.deepEqual(await listLayers(catalogue), [layer])
})

test('GDAL reads the same cells from our file as from the original, and the same place', {
  skip: skipWithoutSampleData || skipWithoutGdal,
}, async () => {
  using folder = new TemporaryFolder()
  const catalogue = await openCatalogue(folder.path)
  for (const [i, sample] of samples.entries()) {
    const layer = await addLayer(catalogue, { path: samplePath(sample), name: `layer-${i}` })
    assert.ok(gdalCells(layerFile(catalogue, layer)).equals(gdalCells(samplePath(sample))), sample)
    const [ours, theirs] = [gdalInfo(layerFile(catalogue, layer)), gdalInfo(samplePath(sample))]
    assert.deepEqual(ours.geoTransform, theirs.geoTransform, sample)
    assert.equal(
      ours.bands[0].noDataValue,
      theirs.bands[0].noDataValue === -128 ? 128 : theirs.bands[0].noDataValue,
      sample,
    )
    assert.equal(
      gdal('gdalsrsinfo', ['-o', 'proj4', layerFile(catalogue, layer)]),
      gdal('gdalsrsinfo', ['-o', 'proj4', samplePath(sample)]),
    )
  }
})

const hasValidator =
  spawnSync('/usr/bin/python3', ['-c', 'import osgeo_utils.samples.validate_cloud_optimized_geotiff']).status === 0
const skipWithoutValidator = hasValidator || process.env.CI ? false : 'python3-gdal is not installed'

test('our files are valid Cloud Optimized GeoTIFFs', {
  skip: skipWithoutSampleData || skipWithoutValidator,
}, async () => {
  using folder = new TemporaryFolder()
  const catalogue = await openCatalogue(folder.path)
  for (const [i, sample] of samples.entries()) {
    const layer = await addLayer(catalogue, { path: samplePath(sample), name: `layer-${i}` })
    const args = [
      '-m',
      'osgeo_utils.samples.validate_cloud_optimized_geotiff',
      '--full-check=yes',
      layerFile(catalogue, layer),
    ]
    const { stdout } = spawnSync('/usr/bin/python3', args, { encoding: 'utf8' })
    assert.match(stdout, /is a valid cloud optimized GeoTIFF/, `${sample}: ${stdout}`)
  }
})

// Each way that GDAL can write a raster and that is read here.
const forms: [name: string, source: string, args: string[]][] = [
  ['uncompressed strips', nlcd, []],
  ['one strip', nlcd, ['-co', 'BLOCKYSIZE=1000']],
  [
    'tiles of 512',
    nlcd,
    ['-co', 'TILED=YES', '-co', 'BLOCKXSIZE=512', '-co', 'BLOCKYSIZE=512', '-co', 'COMPRESS=DEFLATE'],
  ],
  ['LZW', nlcd, ['-co', 'COMPRESS=LZW']],
  ['LZW with a predictor', 'delaware/gSSURGO_DE_10m1-clipped.tif', ['-co', 'COMPRESS=LZW', '-co', 'PREDICTOR=2']],
  [
    'LZW floats with a predictor',
    'sao-miguel/eu_dem_v11.tif',
    ['-co', 'COMPRESS=LZW', '-co', 'PREDICTOR=3', '-co', 'TILED=YES'],
  ],
  ['PackBits', nlcd, ['-co', 'COMPRESS=PACKBITS']],
  ['zstd', nlcd, ['-co', 'COMPRESS=ZSTD']],
  ['LERC', 'sao-miguel/eu_dem_v11.tif', ['-co', 'COMPRESS=LERC']],
  ['big-endian', 'delaware/gSSURGO_DE_10m1-clipped.tif', ['-co', 'ENDIANNESS=BIG']],
  [
    'big-endian with a predictor',
    'delaware/gSSURGO_DE_10m1-clipped.tif',
    ['-co', 'ENDIANNESS=BIG', '-co', 'COMPRESS=DEFLATE', '-co', 'PREDICTOR=2'],
  ],
  [
    'big-endian floats',
    'sao-miguel/eu_dem_v11.tif',
    ['-co', 'ENDIANNESS=BIG', '-co', 'COMPRESS=DEFLATE', '-co', 'PREDICTOR=3'],
  ],
  ['BigTIFF', nlcd, ['-co', 'BIGTIFF=YES']],
  ['16 bit', nlcd, ['-ot', 'Int16', '-co', 'COMPRESS=DEFLATE', '-co', 'PREDICTOR=2']],
  ['64 bit floats', 'slope-zones/slope.tif', ['-ot', 'Float64', '-co', 'COMPRESS=DEFLATE', '-co', 'PREDICTOR=3']],
  ['four bits', 'delaware/soil-clipped-reduced.tif', ['-co', 'NBITS=4']],
  [
    'one bit',
    'delaware/soil-clipped-reduced.tif',
    ['-co', 'NBITS=1', '-scale', '0', '4', '0', '1', '-a_nodata', 'none'],
  ],
  [
    'missing blocks',
    'slope-zones/all_nodata.tif',
    ['-co', 'SPARSE_OK=TRUE', '-co', 'TILED=YES', '-co', 'BLOCKXSIZE=16', '-co', 'BLOCKYSIZE=16'],
  ],
  ['a cell that is a point', nlcd, ['-mo', 'AREA_OR_POINT=Point']],
]

for (const [name, source, args] of forms) {
  test(`a GeoTIFF of this form is read as GDAL reads it: ${name}`, {
    skip: skipWithoutSampleData || skipWithoutGdal,
  }, async () => {
    using folder = new TemporaryFolder()
    const catalogue = await openCatalogue(folder.path)
    const path = join(folder.path, 'source.tif')
    gdal('gdal_translate', ['-q', ...args, samplePath(source), path])
    const layer = await addLayer(catalogue, { path, name: 'layer' })
    assert.ok(gdalCells(layerFile(catalogue, layer)).equals(gdalCells(path)))
    assert.deepEqual(gdalInfo(layerFile(catalogue, layer)).geoTransform, gdalInfo(path).geoTransform)
  })
}

test('the chosen band of several is read, bands together or apart', {
  skip: skipWithoutSampleData || skipWithoutGdal,
}, async () => {
  using folder = new TemporaryFolder()
  const catalogue = await openCatalogue(folder.path)
  const [one, two] = ['delaware/NLCD_DE-clipped.tif', 'delaware/soil-clipped-reduced.tif'].map(samplePath) as [
    string,
    string,
  ]
  gdal('gdalbuildvrt', ['-q', '-separate', join(folder.path, 'both.vrt'), one, two])
  for (const interleave of ['PIXEL', 'BAND']) {
    const path = join(folder.path, `${interleave}.tif`)
    gdal('gdal_translate', [
      '-q',
      '-co',
      `INTERLEAVE=${interleave}`,
      '-co',
      'TILED=YES',
      '-co',
      'COMPRESS=DEFLATE',
      join(folder.path, 'both.vrt'),
      path,
    ])
    await assert.rejects(addLayer(catalogue, { path, name: 'none' }), { code: 'raster_bands', message: /has 2 bands/ })
    await assert.rejects(addLayer(catalogue, { path, name: 'none', band: 3 }), {
      code: 'raster_bands',
      message: /band 3 does not exist/,
    })
    const layer = await addLayer(catalogue, { path, name: 'second', band: 2, nodata: 0, replace: true })
    assert.ok(gdalCells(layerFile(catalogue, layer)).equals(gdalCells(two)))
  }
})

test('overviews are the mode of classes and the mean of measures', async () => {
  using catalogue = new TestCatalogue()
  const rows = Array.from({ length: 300 }, (_, row) =>
    Array.from({ length: 300 }, (_, col) => (row % 2 === 1 && col % 2 === 1 ? 90 : 10)),
  )
  const classes = await catalogue.openSmall('classes', { rows })
  const measure = await catalogue.openSmall('measure', { rows }, { kind: 'continuous' })
  assert.equal((await classes.readBlock(1, { blockRow: 0, blockCol: 0 }))[0], 10)
  assert.equal((await measure.readBlock(1, { blockRow: 0, blockCol: 0 }))[0], 30)
  assert.deepEqual(
    classes.levels.map(({ rows, cols }) => [rows, cols]),
    [
      [300, 300],
      [150, 150],
    ],
  )
})

test('missing cells are left out of overviews', async () => {
  using catalogue = new TestCatalogue()
  const rows = Array.from({ length: 2 }, () => Array.from({ length: 514 }, (_, col) => (col % 2 === 0 ? 0 : 8)))
  const measure = await catalogue.openSmall('measure', { rows, nodata: 0 }, { kind: 'continuous' })
  assert.equal((await measure.readBlock(1, { blockRow: 0, blockCol: 0 }))[0], 8)
})

test('the digest is that of cells and grid, whatever the compression', {
  skip: skipWithoutSampleData || skipWithoutGdal,
}, async () => {
  using folder = new TemporaryFolder()
  const catalogue = await openCatalogue(folder.path)
  const path = join(folder.path, 'again.tif')
  gdal('gdal_translate', ['-q', '-co', 'TILED=YES', '-co', 'COMPRESS=LZW', '-a_nodata', '128', samplePath(nlcd), path])
  const one = await addLayer(catalogue, { path: samplePath(nlcd), name: 'one' })
  const two = await addLayer(catalogue, { path, name: 'two' })
  const other = await addLayer(catalogue, { path, name: 'other', nodata: null })
  assert.equal(two.sha256, one.sha256)
  assert.notEqual(other.sha256, one.sha256)
})

test('a raster cut off anywhere ends in a clear error, and leaves nothing behind', {
  skip: skipWithoutSampleData,
}, async () => {
  using folder = new TemporaryFolder()
  const catalogue = await openCatalogue(folder.path)
  for (const sample of [
    'delaware/soil-clipped-reduced.tif',
    'slope-zones/slope.tif',
    'sao-miguel/gpw_v411_2020_count_2020.tif',
  ]) {
    const whole = readFileSync(samplePath(sample))
    const cuts = [
      0,
      1,
      3,
      4,
      7,
      8,
      9,
      12,
      50,
      100,
      200,
      300,
      500,
      ...Array.from({ length: 60 }, (_, i) => Math.floor((whole.length * i) / 60)),
      whole.length - 1,
    ]
    for (const length of cuts) {
      const path = join(folder.path, 'cut.tif')
      writeFileSync(path, whole.subarray(0, length))
      await assert.rejects(addLayer(catalogue, { path, name: 'cut' }), (error) => {
        assert.ok(error instanceof GeoError, `${sample} at ${length}: ${error}`)
        const codes = ['raster_not_tiff', 'raster_truncated', 'raster_damaged']
        assert.ok(codes.includes(error.code), `${sample} at ${length}: ${error.message}`)
        return true
      })
    }
  }
  assert.deepEqual(readdirSync(catalogue.folder), [])
})

test('a raster with damaged bytes is refused with a clear error or read, and never hangs or crashes', {
  skip: skipWithoutSampleData,
}, async () => {
  using folder = new TemporaryFolder()
  const catalogue = await openCatalogue(folder.path)
  const random = seededRandom(seed)
  for (let round = 0; round < 150; round++) {
    const bytes = readFileSync(
      samplePath(round % 2 === 0 ? 'sao-miguel/gpw_v411_2020_count_2020.tif' : 'slope-zones/dataset_mask.tif'),
    )
    const headEnd = round % 3 === 0 ? bytes.length : 700
    for (let i = 0; i < 4; i++) bytes[Math.floor(random() * headEnd)] = Math.floor(random() * 256)
    const path = join(folder.path, 'damaged.tif')
    writeFileSync(path, bytes)
    try {
      await addLayer(catalogue, { path, name: 'damaged', replace: true })
    } catch (error) {
      assert.ok(
        error instanceof GeoError,
        `round ${round}, ${repeatLine('catalogue/add-layer.test.ts')}: ${error instanceof Error ? error.stack : error}`,
      )
    }
  }
})

test('what is not a raster is refused by name', async () => {
  using folder = new TemporaryFolder()
  const catalogue = await openCatalogue(folder.path)
  const path = join(folder.path, 'other.tif')
  writeFileSync(path, '%PDF-1.7 and so on')
  await assert.rejects(addLayer(catalogue, { path, name: 'other' }), {
    code: 'raster_not_tiff',
    message: /starts with "%PDF"/,
  })
  await assert.rejects(addLayer(catalogue, { path: `${path}.none`, name: 'other' }), {
    code: 'raster_unreadable',
    message: /ENOENT/,
  })
  await assert.rejects(addLayer(catalogue, { path: folder.path, name: 'other' }), { code: 'raster_unreadable' })
})

test('a raster that cannot become a layer is refused with what to do', {
  skip: skipWithoutSampleData || skipWithoutGdal,
}, async () => {
  using folder = new TemporaryFolder()
  const catalogue = await openCatalogue(folder.path)
  const refusals: [args: string[], code: string, message: RegExp][] = [
    [['-a_srs', 'EPSG:2263'], 'crs_unknown', /EPSG:2263.*proj4/],
    [['-ot', 'CFloat32'], 'raster_cells_unsupported', /complex/],
    [['-co', 'COMPRESS=LZMA'], 'raster_compression_unsupported', /COMPRESS=DEFLATE/],
  ]
  for (const [args, code, message] of refusals) {
    const path = join(folder.path, `${code}.tif`)
    gdal('gdal_translate', ['-q', ...args, samplePath(nlcd), path])
    await assert.rejects(addLayer(catalogue, { path, name: 'refused' }), { code, message })
  }
  const bare = edited(samplePath(nlcd), join(folder.path, 'bare'), (vrt) => vrt.replace(/<SRS.*<\/SRS>/s, ''))
  await assert.rejects(addLayer(catalogue, { path: bare, name: 'bare' }), {
    code: 'raster_crs_missing',
    message: /--crs EPSG:5070/,
  })
  const layer = await addLayer(catalogue, { path: bare, name: 'told', crs: 'EPSG:5070' })
  assert.equal(layer.crs.name, 'EPSG:5070')
  assert.match(gdal('gdalsrsinfo', ['-o', 'epsg', layerFile(catalogue, layer)]), /EPSG:5070/)
  await assert.rejects(addLayer(catalogue, { path: samplePath('slope-zones/dataset_mask.tif'), name: 'masked' }), {
    code: 'raster_masked',
  })
})

test('a rotated raster is refused', { skip: skipWithoutSampleData || skipWithoutGdal }, async () => {
  using folder = new TemporaryFolder()
  const catalogue = await openCatalogue(folder.path)
  const turned = '<GeoTransform>1709015, 9, 4, 2050195, 4, -9</GeoTransform>'
  const path = edited(samplePath(nlcd), join(folder.path, 'rotated'), (vrt) =>
    vrt.replace(/<GeoTransform>.*<\/GeoTransform>/, turned),
  )
  await assert.rejects(addLayer(catalogue, { path, name: 'rotated' }), { code: 'raster_rotated', message: /gdalwarp/ })
})

test('a name that could leave the folder, or is no name, is refused before anything is read', async () => {
  using folder = new TemporaryFolder()
  const catalogue = await openCatalogue(folder.path)
  for (const name of ['', '..', '../x', 'a/b', 'A', '-a', 'a.b', 'a b', 'a'.repeat(64), 'ä']) {
    for (const attempt of [
      addLayer(catalogue, { path: '/nowhere', name }),
      getLayer(catalogue, name),
      openLayer(catalogue, name),
      removeLayer(catalogue, name),
    ]) {
      await assert.rejects(attempt, { code: 'layer_name_invalid' })
    }
  }
})

test('a name that is taken is refused, unless its layer is to be replaced; who holds the old one reads on', async () => {
  using catalogue = new TestCatalogue()
  const old = await catalogue.openSmall('land', { rows: [[1]] })
  const path = await writeSmallRaster(join(catalogue.folder.path, 'new.tif'), { rows: [[2]] })
  const where = await catalogue.get()
  await assert.rejects(addLayer(where, { path, name: 'land' }), { code: 'layer_exists', message: /replace/ })
  await addLayer(where, { path, name: 'land', replace: true })
  using fresh = await openLayer(where, 'land')
  assert.equal(old.readBlockSync(0, { blockRow: 0, blockCol: 0 })[0], 1)
  assert.equal(fresh.readBlockSync(0, { blockRow: 0, blockCol: 0 })[0], 2)
  assert.deepEqual(readdirSync(where.folder).sort(), ['land.json', fresh.layer.file].sort())
})

test('a removed layer is gone, and its files with it', async () => {
  using catalogue = new TestCatalogue()
  await catalogue.openSmall('land', { rows: [[1]] })
  await catalogue.openSmall('land-2', { rows: [[1]] })
  const where = await catalogue.get()
  await removeLayer(where, 'land')
  assert.deepEqual(
    (await listLayers(where)).map(({ name }) => name),
    ['land-2'],
  )
  assert.equal(readdirSync(where.folder).length, 2)
  await assert.rejects(openLayer(where, 'land'), { code: 'layer_not_found', message: /Loaded are land-2/ })
  await assert.rejects(removeLayer(where, 'land'), { code: 'layer_not_found' })
})

test('an addition that is aborted leaves nothing behind, and says why', { skip: skipWithoutSampleData }, async () => {
  using folder = new TemporaryFolder()
  const catalogue = await openCatalogue(folder.path)
  const controller = new AbortController()
  const reason = new Error('changed my mind')
  const adding = addLayer(catalogue, {
    path: samplePath(nlcd),
    name: 'nlcd',
    signal: controller.signal,
    onProgress: () => controller.abort(reason),
  })
  await assert.rejects(adding, reason)
  assert.deepEqual(readdirSync(catalogue.folder), [])
})

test('progress grows to 1', { skip: skipWithoutSampleData }, async () => {
  using folder = new TemporaryFolder()
  const catalogue = await openCatalogue(folder.path)
  const fractions: number[] = []
  await addLayer(catalogue, {
    path: samplePath(nlcd),
    name: 'nlcd',
    onProgress: (fraction) => fractions.push(fraction),
  })
  assert.equal(fractions.length, 5)
  assert.deepEqual(
    fractions,
    fractions.toSorted((one, other) => one - other),
  )
  assert.equal(fractions.at(-1), 1)
})

test('what a crash left behind a day ago is removed at the next addition, and not what is being written now', async () => {
  using catalogue = new TestCatalogue()
  const where = await catalogue.get()
  for (const file of ['.old.1.partial', '.new.2.partial']) writeFileSync(join(where.folder, file), 'x')
  const longAgo = new Date(Date.now() - 25 * 3600 * 1000)
  utimesSync(join(where.folder, '.old.1.partial'), longAgo, longAgo)
  await catalogue.openSmall('land', { rows: [[1]] })
  const left = readdirSync(where.folder)
  assert.equal(left.includes('.old.1.partial'), false)
  assert.equal(left.includes('.new.2.partial'), true)
})

test('a layer whose file or manifest was tampered with is damaged, by name, and can be removed', async () => {
  using catalogue = new TestCatalogue()
  const { layer } = await catalogue.openSmall('land', { rows: [[1]] })
  const { layer: other } = await catalogue.openSmall('other', { rows: [[1, 2]] })
  const where = await catalogue.get()
  copyFileSync(layerFile(where, other), layerFile(where, layer))
  await assert.rejects(openLayer(where, 'land'), {
    code: 'layer_damaged',
    message: /land cannot be read.*1 rows by 2 columns/,
  })
  writeFileSync(join(where.folder, 'land.json'), '{"version": 1, "name": "land", "file": "../../etc/passwd"}')
  await assert.rejects(openLayer(where, 'land'), { code: 'layer_damaged' })
  await removeLayer(where, 'land')
  assert.deepEqual(
    (await listLayers(where)).map(({ name }) => name),
    ['other'],
  )
})

test('classes that cannot be drawn are refused', async () => {
  using catalogue = new TestCatalogue()
  const where = await catalogue.get()
  for (const classes of [
    [{ value: 1.5, name: 'a', color: '#000000' }],
    [{ value: 1, name: '', color: '#000000' }],
    [{ value: 1, name: 'a', color: 'red' }],
    [
      { value: 1, name: 'a', color: '#000000' },
      { value: 1, name: 'b', color: '#000000' },
    ],
  ]) {
    await assert.rejects(addLayer(where, { path: '/nowhere', name: 'land', classes }), { code: 'classes_invalid' })
  }
})

test('a nodata value given by the caller takes the place of the file’s', async () => {
  using catalogue = new TestCatalogue()
  const raster = { rows: [[0, 1, 128]], nodata: 0 }
  assert.equal((await catalogue.openSmall('own', raster)).layer.nodata, 0)
  assert.equal((await catalogue.openSmall('none', raster, { nodata: null })).layer.nodata, null)
  assert.equal((await catalogue.openSmall('signed', raster, { nodata: -128 })).layer.nodata, 128)
  assert.equal((await catalogue.openSmall('impossible', raster, { nodata: -9999 })).layer.nodata, null)
})

test('a block holds the cells of its place', async () => {
  using catalogue = new TestCatalogue()
  const rows = Array.from({ length: 600 }, (_, row) => Array.from({ length: 700 }, (_, col) => (row ^ col) & 0xff))
  const layer = await catalogue.openSmall('land', { rows, cellType: 'float64' }, { kind: 'continuous' })
  const block = await layer.readBlock(0, { blockRow: 1, blockCol: 2 })
  assert.equal(block[256 * 3 + 5], ((256 + 3) ^ (512 + 5)) & 0xff)
  assert.equal(bytesOfCells(block).length, 256 * 256 * 8)
})

function gdalInfo(path: string): { geoTransform: number[]; bands: [{ noDataValue?: number | string }] } {
  return JSON.parse(gdal('gdalinfo', ['-json', path]))
}

/** A copy of a raster with its GDAL description changed. */
function edited(source: string, target: string, edit: (vrt: string) => string): string {
  gdal('gdal_translate', ['-q', '-of', 'VRT', source, `${target}.vrt`])
  writeFileSync(`${target}.vrt`, edit(readFileSync(`${target}.vrt`, 'utf8')))
  gdal('gdal_translate', ['-q', `${target}.vrt`, `${target}.tif`])
  return `${target}.tif`
}

test('of additions of one name at the same time the last one stays, whole', async () => {
  using catalogue = new TestCatalogue()
  const where = await catalogue.get()
  const paths = await Promise.all(
    [1, 2, 3, 4].map((value) => writeSmallRaster(join(catalogue.folder.path, `${value}.tif`), { rows: [[value]] })),
  )
  for (let round = 0; round < 5; round++) {
    await Promise.all(paths.map((path) => addLayer(where, { path, name: 'land', replace: true })))
    using layer = await openLayer(where, 'land')
    assert.equal(layer.readBlockSync(0, { blockRow: 0, blockCol: 0 })[0], layer.layer.range?.min)
  }
})

test('cells that no manifest names are removed a day later', async () => {
  using catalogue = new TestCatalogue()
  const where = await catalogue.get()
  const { layer } = await catalogue.openSmall('land', { rows: [[1]] })
  const unused = join(where.folder, 'land.0123456789abcdef.tif')
  copyFileSync(layerFile(where, layer), unused)
  const longAgo = new Date(Date.now() - 25 * 3600 * 1000)
  for (const path of [unused, layerFile(where, layer)]) utimesSync(path, longAgo, longAgo)
  await catalogue.openSmall('other', { rows: [[1]] })
  assert.deepEqual(
    readdirSync(where.folder)
      .filter((file) => file.startsWith('land.'))
      .sort(),
    ['land.json', layer.file].sort(),
  )
})
