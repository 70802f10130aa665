import { useMemo, useState } from 'react'
import { ScrollRegion } from '../look/scroll-region.tsx'
import { areaText, type Survey, type SurveyRow, shareText } from './survey.ts'
import './survey.css'

/** How an area is divided: one strip of the whole, a bar for each class, and the numbers. */
export function SurveyView(props: { readonly survey: Survey }) {
  const { survey } = props
  const present = survey.rows.filter((row) => row.areaM2 > 0)
  const absent = survey.rows.filter((row) => row.areaM2 === 0)
  const hasRiverArea = present.some((row) => row.riverAreaM2 !== undefined)
  return (
    <div className="survey">
      <p className="survey-title">
        <strong>{survey.title}</strong>
        <span className="muted">{areaText(survey.totalM2)} in all</span>
      </p>
      {present.length === 0 ? (
        <p className="note">No cell of a known class lies in this area.</p>
      ) : (
        <>
          <Composition rows={present} />
          <SurveyTable rows={present} totalM2={survey.totalM2} hasRiverArea={hasRiverArea} />
        </>
      )}
      {absent.length > 0 ? (
        <details className="survey-absent">
          <summary>
            {absent.length === 1 ? 'One class does not occur' : `${absent.length} classes do not occur`}
          </summary>
          <p className="muted">{absent.map((row) => row.type).join(', ')}.</p>
        </details>
      ) : null}
    </div>
  )
}

function Composition(props: { readonly rows: readonly SurveyRow[] }) {
  const says = props.rows.slice(0, 4).map((row) => `${row.type} ${shareText(row.share)}`)
  return (
    <div
      className="composition"
      role="img"
      aria-label={`Division of the area: ${says.join(', ')}${props.rows.length > 4 ? ', and smaller ones' : ''}`}
    >
      {props.rows.map((row) => (
        <span
          key={row.key}
          style={{ flexGrow: row.share, backgroundColor: row.color }}
          title={`${row.type}: ${shareText(row.share)}`}
        />
      ))}
    </div>
  )
}

type Order = { readonly by: 'type' | 'areaM2'; readonly isDown: boolean }

function SurveyTable(props: {
  readonly rows: readonly SurveyRow[]
  readonly totalM2: number
  readonly hasRiverArea: boolean
}) {
  const [order, setOrder] = useState<Order>({ by: 'areaM2', isDown: true })
  const rows = useMemo(() => props.rows.toSorted((a, b) => compare(a, b, order)), [props.rows, order])
  const largest = Math.max(...props.rows.map((row) => row.share), 0.0001)
  return (
    <ScrollRegion className="table-scroll" label="Classes of the area">
      <table className="survey-table">
        <thead>
          <tr>
            <SortableHead name="Class" by="type" order={order} onOrder={setOrder} />
            <SortableHead name="Area" by="areaM2" order={order} onOrder={setOrder} />
            {props.hasRiverArea ? <th scope="col">Along rivers</th> : null}
            <th scope="col">Share</th>
            <th scope="col" className="survey-bars">
              <span className="visually-hidden">Share as a bar</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key}>
              <th scope="row">
                <span className="class-name">
                  <span className="swatch" style={{ backgroundColor: row.color }} />
                  <span>
                    {row.type} <span className="muted class-code">{row.code}</span>
                  </span>
                </span>
              </th>
              <td>{areaText(row.areaM2)}</td>
              {props.hasRiverArea ? <td>{row.riverAreaM2 === undefined ? '–' : areaText(row.riverAreaM2)}</td> : null}
              <td>{shareText(row.share)}</td>
              <td className="survey-bars" aria-hidden="true">
                <span
                  className="survey-bar"
                  style={{ width: `${(row.share / largest) * 100}%`, backgroundColor: row.color }}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  )
}

function compare(a: SurveyRow, b: SurveyRow, order: Order): number {
  const up = order.by === 'type' ? a.type.localeCompare(b.type) : a.areaM2 - b.areaM2
  return order.isDown ? -up : up
}

function SortableHead(props: {
  readonly name: string
  readonly by: Order['by']
  readonly order: Order
  readonly onOrder: (order: Order) => void
}) {
  const { by, order } = props
  const isSorted = order.by === by
  return (
    <th scope="col" aria-sort={isSorted ? (order.isDown ? 'descending' : 'ascending') : undefined}>
      <button
        type="button"
        className="sort"
        onClick={() => props.onOrder({ by, isDown: isSorted ? !order.isDown : by === 'areaM2' })}
      >
        {props.name}
        <span aria-hidden="true">{isSorted ? (order.isDown ? ' ↓' : ' ↑') : ''}</span>
      </button>
    </th>
  )
}
