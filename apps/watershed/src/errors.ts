/** The stable codes of what this app throws on purpose, besides what `@headrace/geo` does. */
export type WatershedErrorCode = 'layer_missing' | 'layer_replaced' | 'layer_unsuitable'

/** `code` is for programs and never changes; `message` says what happened, to what, and what to do. */
export abstract class WatershedError extends Error {
  abstract readonly code: WatershedErrorCode
  /** Trying again at once changes nothing. */
  readonly retryable = false
}

/** No loaded layer serves an analysis. */
export class LayerMissingError extends WatershedError {
  override readonly name = 'LayerMissingError'
  readonly code = 'layer_missing'
  constructor(what: string, wanted: readonly string[], loaded: readonly string[]) {
    super(
      `No layer is loaded for ${what}. Add one: headrace layers add <file.tif> --name ${wanted[0]}` +
        `${wanted.length > 1 ? ` (${wanted.slice(1).join(' or ')} would serve, too)` : ''}. ` +
        `Loaded: ${loaded.join(', ') || 'none'}.`,
    )
  }
}

/** The layer that the caller named holds none of the values that the analysis counts. */
export class LayerUnsuitableError extends WatershedError {
  override readonly name = 'LayerUnsuitableError'
  readonly code = 'layer_unsuitable'
  constructor(layer: string, what: string, has: readonly number[]) {
    const values = `${has.slice(0, 8).join(', ')}${has.length > 8 ? ', …' : ''}`
    super(`The layer ${layer} holds no ${what}: its classes are ${values}. Name another layer, or leave it out.`)
  }
}

/** A layer was replaced or removed between two parts of one job, whose counts must not be mixed. */
export class LayerReplacedError extends WatershedError {
  override readonly name = 'LayerReplacedError'
  readonly code = 'layer_replaced'
  constructor(layer: string) {
    super(`The layer ${layer} was replaced while the job ran. Submit the job again to count the new one.`)
  }
}
