import type { Json } from '@headrace/wire'
import type { Map as MapLibreMap } from 'maplibre-gl'
import { TerraDraw, TerraDrawPolygonMode, TerraDrawRectangleMode } from 'terra-draw'
import { TerraDrawMapLibreGLAdapter } from 'terra-draw-maplibre-gl-adapter'

export type DrawingShape = 'polygon' | 'rectangle'

/** Draws one shape at a time on a map, and gives it away as soon as it is finished. */
export interface Drawing {
  begin(shape: DrawingShape): void
  /** Throws away what has been begun. */
  stop(): void
  dispose(): void
}

export function createDrawing(
  map: MapLibreMap,
  options: { readonly color: string; readonly onDrawn: (area: Json) => void },
): Drawing {
  // Sound: terra-draw wants #rrggbb, and this is where our tokens are written so.
  const color = options.color as `#${string}`
  const outline = { fillColor: color, fillOpacity: 0.15, outlineColor: color, outlineWidth: 2 } as const
  const draw = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({ map }),
    modes: [
      new TerraDrawPolygonMode({ styles: { ...outline, closingPointColor: color } }),
      new TerraDrawRectangleMode({ styles: outline }),
    ],
  })
  draw.on('finish', (id) => {
    const drawn = draw.getSnapshotFeature(id)
    draw.clear()
    draw.setMode('static')
    if (drawn) options.onDrawn({ type: 'Feature', properties: {}, geometry: drawn.geometry as unknown as Json }) // Sound: GeoJSON is JSON.
  })
  draw.start()
  draw.setMode('static')
  return {
    begin(shape) {
      draw.clear()
      draw.setMode(shape)
    },
    stop() {
      draw.clear()
      draw.setMode('static')
    },
    dispose: () => draw.stop(),
  }
}
