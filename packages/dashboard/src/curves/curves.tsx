import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { useIsDark } from '../shell/theme.ts'
import type { MetricSeries, Series } from './metric-series.ts'
import './curves.css'

const HEIGHT_PX = 160

/** One small chart per metric, growing in place while the job tells. */
export default function Curves(props: { readonly series: MetricSeries }) {
  return (
    <div className="curves">
      {[...props.series].map(([name, series]) => (
        <Curve key={name} name={name} series={series} />
      ))}
    </div>
  )
}

function Curve(props: { readonly name: string; readonly series: Series }) {
  const { steps, values } = props.series
  const isDark = useIsDark()
  const holder = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)

  // biome-ignore lint/correctness/useExhaustiveDependencies: `isDark` changes the colours that are read from the style.
  useEffect(() => {
    const element = holder.current
    if (!element) return
    const chart = new uPlot(optionsFor(element, props.name), [[], []], element)
    plot.current = chart
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT_PX }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      chart.destroy()
      plot.current = undefined
    }
  }, [props.name, isDark])

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart made anew for other colours needs its data again.
  useEffect(() => {
    plot.current?.setData([[...steps], [...values]])
  }, [steps, values, isDark])

  const last = values.at(-1)
  const least = Math.min(...bounded(values))
  const most = Math.max(...bounded(values))
  return (
    <figure className="curve">
      <figcaption>
        <strong>{props.name}</strong>
        <span>
          last {number(last)}{' '}
          <span className="muted">
            least {number(least)}, most {number(most)}
          </span>
        </span>
      </figcaption>
      <div
        ref={holder}
        role="img"
        aria-label={`${props.name} by step: ${values.length} points, last ${number(last)}, least ${number(least)}, most ${number(most)}`}
      />
    </figure>
  )
}

/** `Math.min(...values)` overflows the stack from about a hundred thousand on. */
function bounded(values: readonly number[]): readonly number[] {
  if (values.length < 50_000) return values
  return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
}

function optionsFor(element: HTMLElement, name: string): uPlot.Options {
  const style = getComputedStyle(element)
  const color = (property: string) => style.getPropertyValue(property).trim()
  const axis = {
    stroke: color('--plot-ink'),
    grid: { stroke: color('--plot-line'), width: 1 },
    ticks: { stroke: color('--plot-line'), width: 1 },
    font: '11px system-ui, sans-serif',
  }
  return {
    width: element.clientWidth || 300,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { y: false },
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 30 },
      { ...axis, size: 54 },
    ],
    series: [{}, { label: name, stroke: color('--plot-accent'), width: 1.5, points: { show: false } }],
  }
}

function number(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–'
  return Number(value.toPrecision(4)).toString()
}
