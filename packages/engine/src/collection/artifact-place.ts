import type { ArtifactSink } from '../payload/payloads.ts'

/** An artifact as the place of artifacts lists it; `modifiedAt`: when its content was last put. */
export type PlacedArtifact = { readonly id: string; readonly sizeBytes: number; readonly modifiedAt: Date }

/**
 * A place of artifacts that calls off the removal of what is put (`Removals.callOff`), and knows who uses it: what nothing
 * names can be removed from it. `openStoreArtifacts` of `@headrace/artifacts` gives one.
 */
export interface ArtifactPlace extends ArtifactSink {
  list(): AsyncIterable<PlacedArtifact>
  /** Takes 30 seconds at most. */
  delete(id: string): Promise<boolean>
  /** Who uses it besides this store: files of its own that name the others. */
  otherUsers(): Promise<readonly string[]>
}

export function isArtifactPlace(artifacts: ArtifactSink | undefined): artifacts is ArtifactPlace {
  return artifacts !== undefined && 'otherUsers' in artifacts
}
