/** Whether the browser can draw a map at all: MapLibre needs WebGL 2. */
export function hasWebGl(): boolean {
  try {
    const context = document.createElement('canvas').getContext('webgl2')
    context?.getExtension('WEBGL_lose_context')?.loseContext()
    return context !== null
  } catch {
    return false // Some browsers throw where others answer null.
  }
}
