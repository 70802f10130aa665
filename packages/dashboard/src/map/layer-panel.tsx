import { useState } from 'react'
import { useIsNarrow } from '../shell/use-is-narrow.ts'
import type { ShownLayer } from './map-style.ts'

/** Which layers the map shows, how strongly, and what their colours mean. */
export function LayerPanel(props: {
  readonly layers: readonly ShownLayer[]
  readonly onChange: (name: string, change: Partial<Pick<ShownLayer, 'isShown' | 'opacity'>>) => void
}) {
  const isNarrow = useIsNarrow()
  const [isOpen, setOpen] = useState(!isNarrow)
  if (props.layers.length === 0) return null
  return (
    <section className="layer-panel" aria-label="Layers" data-open={isOpen || undefined}>
      <button type="button" className="quiet small" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Layers
      </button>
      {isOpen ? (
        <ul>
          {props.layers.map((shown) => (
            <LayerItem
              key={shown.layer.name}
              shown={shown}
              onChange={(change) => props.onChange(shown.layer.name, change)}
            />
          ))}
        </ul>
      ) : null}
    </section>
  )
}

function LayerItem(props: {
  readonly shown: ShownLayer
  readonly onChange: (change: Partial<Pick<ShownLayer, 'isShown' | 'opacity'>>) => void
}) {
  const { layer, isShown, opacity } = props.shown
  return (
    <li className="layer-item">
      <label className="check">
        <input
          type="checkbox"
          checked={isShown}
          onChange={(event) => props.onChange({ isShown: event.target.checked })}
        />
        {layer.title}
      </label>
      {layer.synthetic && !layer.title.includes('synthetic') ? (
        <span className="tag" title="Made up for demonstrations; not a survey of the real land">
          synthetic
        </span>
      ) : null}
      {isShown ? (
        <>
          <label className="layer-opacity">
            <span className="muted">Opacity</span>
            <input
              type="range"
              min={0}
              max={100}
              step={5}
              value={Math.round(opacity * 100)}
              onChange={(event) => props.onChange({ opacity: Number(event.target.value) / 100 })}
              aria-label={`Opacity of ${layer.title}`}
            />
          </label>
          {layer.classes.length > 0 ? (
            <details>
              <summary>Legend</summary>
              <ul className="legend">
                {layer.classes.map((one) => (
                  <li key={one.value} className="legend-item">
                    <span className="swatch" style={{ backgroundColor: one.color }} />
                    {one.name}
                  </li>
                ))}
              </ul>
            </details>
          ) : null}
        </>
      ) : null}
    </li>
  )
}
