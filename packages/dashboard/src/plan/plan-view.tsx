import { type BboxLonLat, bboxOf, type Rings, unionOf } from './geometry.ts'
import { graticuleOf, latText, lonText } from './graticule.ts'
import './plan.css'

const WIDTH = 480
const HEIGHT = 300
const MARGIN = 0.18

/** A plain drawing of areas on a ruled sheet: no tiles, no WebGL. North is up, scales are true at the middle. */
export function PlanView(props: {
  readonly label: string
  readonly rings?: Rings | undefined
  readonly boxes?: readonly { readonly name: string; readonly bbox: BboxLonLat }[]
}) {
  const boxes = props.boxes ?? []
  const focus = props.rings ? bboxOf(props.rings) : unionOf(boxes.map((box) => box.bbox))
  if (!focus) return null
  const sheet = sheetAround(focus)
  const lines = graticuleOf(sheet.bbox, 4)
  return (
    <svg className="plan" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={props.label}>
      <g className="plan-lines">
        {lines.lons.map((lon) => (
          <path key={lon} d={`M${sheet.x(lon)} 0V${HEIGHT}`} />
        ))}
        {lines.lats.map((lat) => (
          <path key={lat} d={`M0 ${sheet.y(lat)}H${WIDTH}`} />
        ))}
      </g>
      {boxes.map((box) => (
        <path key={box.name} className="plan-box" d={boxPath(box.bbox, sheet)} />
      ))}
      {props.rings ? <path className="plan-area" fillRule="evenodd" d={ringsPath(props.rings, sheet)} /> : null}
      <g className="plan-labels">
        {lines.lons.map((lon) => (
          <text key={lon} x={sheet.x(lon) + 3} y={HEIGHT - 5}>
            {lonText(lon, lines.stepDegrees)}
          </text>
        ))}
        {lines.lats.map((lat) => (
          <text key={lat} x={4} y={sheet.y(lat) - 3}>
            {latText(lat, lines.stepDegrees)}
          </text>
        ))}
      </g>
    </svg>
  )
}

type Sheet = { readonly bbox: BboxLonLat; readonly x: (lon: number) => number; readonly y: (lat: number) => number }

/** A degree of longitude is narrower than one of latitude, by the cosine of the latitude. */
function sheetAround(focus: BboxLonLat): Sheet {
  const [west, south, east, north] = focus
  const middle = { lon: (west + east) / 2, lat: (south + north) / 2 }
  const narrowing = Math.max(0.05, Math.cos((middle.lat * Math.PI) / 180))
  const perDegree = Math.min(
    (WIDTH * (1 - 2 * MARGIN)) / Math.max(1e-6, (east - west) * narrowing),
    (HEIGHT * (1 - 2 * MARGIN)) / Math.max(1e-6, north - south),
  )
  const x = (lon: number) => round(WIDTH / 2 + (lon - middle.lon) * narrowing * perDegree)
  const y = (lat: number) => round(HEIGHT / 2 - (lat - middle.lat) * perDegree)
  const [halfLon, halfLat] = [WIDTH / 2 / narrowing / perDegree, HEIGHT / 2 / perDegree]
  return { bbox: [middle.lon - halfLon, middle.lat - halfLat, middle.lon + halfLon, middle.lat + halfLat], x, y }
}

function boxPath([west, south, east, north]: BboxLonLat, sheet: Sheet): string {
  return `M${sheet.x(west)} ${sheet.y(south)}H${sheet.x(east)}V${sheet.y(north)}H${sheet.x(west)}Z`
}

function ringsPath(rings: Rings, sheet: Sheet): string {
  return rings.map((ring) => `M${ring.map(([lon, lat]) => `${sheet.x(lon)} ${sheet.y(lat)}`).join('L')}Z`).join('')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
