import type { Layer } from '@headrace/geo'
import type { LayerVersion } from '../tile/tile-work.ts'

export function versionOf({ name, sha256 }: Layer): LayerVersion {
  return { name, sha256 }
}

/** What a survey of a layer is called that is not the one meant: its own title, if someone gave it one. */
export function titleOf({ name, title }: Layer, what: string): string {
  return title === name ? `${what} (${name})` : title
}
