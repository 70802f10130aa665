import type { StatusInfo, WireEvent } from '@headrace/wire'

/** Jobs, events and results in the shapes of the wire, for the fake server. Ids and times are fixed. */

export const T0 = Date.UTC(2030, 0, 1, 12)
export const iso = (ms: number) => new Date(ms).toISOString()

/** A UUIDv7 whose order is its number's. */
export function idOf(number: number): string {
  const digits = number.toString(16).padStart(12, '0')
  return `0199${digits.slice(0, 4)}-${digits.slice(4, 8)}-7000-8000-${digits}`
}

export function fakeJob(number: number, more: Partial<StatusInfo> = {}): StatusInfo {
  const jobID = idOf(number)
  const created = more.created ?? iso(T0 + number * 1000)
  return {
    jobID,
    processID: 'tiles.render',
    type: 'process',
    status: 'successful',
    state: 'succeeded',
    created,
    started: created,
    finished: iso(Date.parse(created) + 4200),
    updated: created,
    progress: 100,
    links: [],
    kind: 'task',
    queue: 'tiles',
    priority: 0,
    attempt: 1,
    tags: [],
    owner: 'ada',
    rootId: more.rootId ?? jobID,
    worker: '0199aaaa-0000-7000-8000-00000000cafe',
    ...more,
  }
}

const STATES = [
  'succeeded',
  'succeeded',
  'succeeded',
  'failed',
  'cancelled',
  'succeeded',
  'running',
  'waiting',
] as const
const PROCESSES = ['watershed.analyze-land', 'watershed.analyze-soil', 'tiles.render', 'documents.read', 'training.fit']

/** A mixed history of so many jobs, without children. */
export function fakeHistory(count: number): StatusInfo[] {
  return Array.from({ length: count }, (_, index) => {
    const state =
      index > count - 12 ? (STATES[index % STATES.length] ?? 'succeeded') : index % 29 === 0 ? 'failed' : 'succeeded'
    const processID = PROCESSES[index % PROCESSES.length] ?? 'tiles.render'
    const tags = index % 3 === 0 ? ['demo', `run-${index % 7}`] : []
    return inState(fakeJob(index, { processID, tags, queue: processID.split('.')[0] ?? 'default' }), state)
  })
}

export function inState(job: StatusInfo, state: StatusInfo['state']): StatusInfo {
  const { started, finished, worker, ...rest } = job
  switch (state) {
    case 'waiting':
      return { ...rest, state, status: 'accepted', attempt: 0, progress: 0 }
    case 'running':
      return {
        ...rest,
        ...(started ? { started } : {}),
        ...(worker ? { worker } : {}),
        state,
        status: 'running',
        progress: 40,
        progressFraction: 0.4,
        progressMessage: 'reading tiles',
      }
    case 'failed':
      return { ...job, state, status: 'failed', progress: 60, error: FAKE_ERROR }
    case 'cancelled':
      return {
        ...job,
        state,
        status: 'dismissed',
        progress: 20,
        error: { code: 'job_cancelled', message: 'Cancelled by ada.' },
      }
    default:
      return { ...job, state, status: 'successful', progress: 100 }
  }
}

export const FAKE_ERROR = {
  code: 'tile_missing',
  message: 'Tile 12/1201/1534 of land-2019 cannot be read: the file ends in the middle of a strip.',
  name: 'TileMissingError',
  stack:
    'TileMissingError: Tile 12/1201/1534 of land-2019 cannot be read\n    at readTile (file:///srv/packages/geo/src/tiff/tile.ts:41:11)\n    at async count (file:///srv/packages/geo/src/count/count.ts:18:5)',
  retryable: true,
}

export const SAMPLE_AREA = {
  type: 'Feature',
  properties: { name: 'Mill Creek' },
  geometry: {
    type: 'Polygon',
    coordinates: [
      [
        [-75.2745, 39.9612],
        [-75.2461, 39.9535],
        [-75.2203, 39.9641],
        [-75.2118, 39.9893],
        [-75.2288, 40.0102],
        [-75.2531, 40.0188],
        [-75.2772, 40.0061],
        [-75.2868, 39.9836],
        [-75.2745, 39.9612],
      ],
    ],
  },
} as const

const LAND: readonly (readonly [number, string, string, number])[] = [
  [11, 'open_water', 'Open Water', 210],
  [12, 'perennial_ice', 'Perennial Ice/Snow', 0],
  [21, 'developed_open', 'Developed, Open Space', 8421],
  [22, 'developed_low', 'Developed, Low Intensity', 10632],
  [23, 'developed_med', 'Developed, Medium Intensity', 9120],
  [24, 'developed_high', 'Developed, High Intensity', 3316],
  [31, 'barren_land', 'Barren Land (Rock/Sand/Clay)', 41],
  [41, 'deciduous_forest', 'Deciduous Forest', 4210],
  [42, 'evergreen_forest', 'Evergreen Forest', 96],
  [43, 'mixed_forest', 'Mixed Forest', 840],
  [52, 'shrub', 'Shrub/Scrub', 12],
  [71, 'grassland', 'Grassland/Herbaceous', 33],
  [81, 'pasture', 'Pasture/Hay', 180],
  [82, 'cultivated_crops', 'Cultivated Crops', 54],
  [90, 'woody_wetlands', 'Woody Wetlands', 388],
  [95, 'herbaceous_wetlands', 'Emergent Herbaceous Wetlands', 19],
]

const LAND_CELLS = LAND.reduce((sum, [, , , cells]) => sum + cells, 0)

export const LAND_RESULT = {
  survey: {
    name: 'land_2019_2019',
    displayName: 'Land Use/Cover 2019 (NLCD19)',
    categories: LAND.map(([nlcd, code, type, cells]) => ({
      area: cells * 900,
      active_river_area: null,
      code,
      coverage: cells / LAND_CELLS,
      nlcd,
      type,
    })),
  },
}

export const FAKE_LAYERS = [
  {
    name: 'land-2019',
    title: 'Land cover 2019',
    crs: 'EPSG:5070',
    rows: 512,
    cols: 512,
    pixelSize: [30, 30],
    kind: 'categorical',
    nodata: 0,
    bboxLonLat: [-75.42, 39.88, -75.08, 40.11],
    classes: [
      { value: 11, name: 'Open Water', color: '#466b9f' },
      { value: 21, name: 'Developed, Open Space', color: '#dec5c5' },
      { value: 22, name: 'Developed, Low Intensity', color: '#d99282' },
      { value: 23, name: 'Developed, Medium Intensity', color: '#eb0000' },
      { value: 41, name: 'Deciduous Forest', color: '#68ab5f' },
      { value: 82, name: 'Cultivated Crops', color: '#ab6c28' },
    ],
    sha256: '0'.repeat(64),
    synthetic: true,
    tiles: '/layers/land-2019/tiles/{z}/{x}/{y}.png',
  },
  {
    name: 'soil',
    title: 'Hydrologic soil groups',
    crs: 'EPSG:5070',
    rows: 512,
    cols: 512,
    pixelSize: [30, 30],
    kind: 'categorical',
    nodata: 255,
    bboxLonLat: [-75.42, 39.88, -75.08, 40.11],
    classes: [
      { value: 1, name: 'A - High Infiltration', color: '#3b7a57' },
      { value: 2, name: 'B - Moderate Infiltration', color: '#9fbf5f' },
      { value: 3, name: 'C - Slow Infiltration', color: '#d9b75f' },
      { value: 4, name: 'D - Very Slow Infiltration', color: '#a0522d' },
    ],
    sha256: '1'.repeat(64),
    synthetic: true,
    tiles: '/layers/soil/tiles/{z}/{x}/{y}.png',
  },
] as const

export const FAKE_PROCESSES = [
  processOf('watershed.analyze-land', 'Analyse land cover', 'Areas of each land cover class within an area.'),
  processOf('watershed.analyze-soil', 'Analyse soil', 'Areas of each hydrologic soil group within an area.'),
  processOf('tiles.render', 'Render tiles', 'Renders one tile of a layer.'),
]

function processOf(id: string, title: string, description: string) {
  return {
    id,
    title,
    description,
    version: '1.0.0',
    jobControlOptions: ['async-execute', 'dismiss'],
    outputTransmission: ['value'],
    links: [],
    inputs: {
      area: {
        title: 'Area',
        description: 'A GeoJSON Polygon, MultiPolygon, or a Feature of one.',
        schema: {
          type: 'object',
          properties: { type: { type: 'string' }, coordinates: { type: 'array' } },
          required: ['type', 'coordinates'],
        },
        minOccurs: 1,
        maxOccurs: 1,
      },
      layer: { title: 'Layer', schema: { type: 'string', default: 'land-2019' }, minOccurs: 0, maxOccurs: 1 },
    },
    outputs: { result: { title: 'Survey', schema: { type: 'object' } } },
  }
}

export type Telling = Omit<WireEvent, 'cursor'>

/** A workflow with so many children of one step, most of them done, a few failed, the last ones running and waiting. */
export function fakeFanOut(rootNumber: number, count: number): StatusInfo[] {
  const root = fakeJob(rootNumber, { processID: 'tiles.render-all', kind: 'workflow', tags: ['demo'] })
  const startMs = Date.parse(root.created)
  const { finished: _none, ...running } = { ...root, state: 'running' as const, status: 'running' as const }
  const children = Array.from({ length: count }, (_, item) => {
    const startedMs = startMs + 500 + Math.floor(item / 40) * 700 + (item % 7) * 90
    const job = fakeJob(rootNumber + 1 + item, {
      parentId: root.jobID,
      rootId: root.jobID,
      step: 0,
      item,
      created: iso(startMs + 300),
      started: iso(startedMs),
      finished: iso(startedMs + 650 + (item % 11) * 60),
      updated: iso(startedMs),
    })
    if (item > count * 0.98) return inState(job, 'waiting')
    if (item > count * 0.97) return inState(job, 'running')
    return item % 97 === 0 ? inState(job, 'failed') : job
  })
  return [{ ...running, progress: 97, progressFraction: 0.97, progressMessage: `${count} tiles` }, ...children]
}
