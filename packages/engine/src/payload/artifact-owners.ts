import type { Settings } from '../store/store.ts'

/** An artifact's id names its content, so knowing it must not be enough to have it read: whose it is stands here. */
const ARTIFACT_OWNERS = 'artifact-owners'

/** Notes that an owner brought or made an artifact. The same content may have many owners; to note one twice does no harm. */
export async function noteArtifactOwner(settings: Settings, artifact: string, owner: string): Promise<void> {
  const key = keyOf(artifact, owner)
  if ((await settings.get(ARTIFACT_OWNERS, key)) === undefined) await settings.put(ARTIFACT_OWNERS, key, true)
}

/** Whether this owner brought it, or a job of theirs made it. */
export async function isArtifactOwner(settings: Settings, artifact: string, owner: string): Promise<boolean> {
  return (await settings.get(ARTIFACT_OWNERS, keyOf(artifact, owner))) !== undefined
}

/** Of an artifact that is removed: whoever names it again is to bring it again. */
export async function forgetArtifactOwners(settings: Settings, artifact: string): Promise<void> {
  for (const { key } of await settings.list(ARTIFACT_OWNERS, { prefix: keyOf(artifact, '') })) {
    await settings.delete(ARTIFACT_OWNERS, key)
  }
}

function keyOf(artifact: string, owner: string): string {
  return `${artifact} ${owner}`
}
