import type { Clock } from '../clock/clock.ts'
import type { Store } from '../store/store.ts'

/** By artifact: since when nothing names it, as far as anybody has looked. Whoever names it deletes the note with the same commit. */
export const ARTIFACT_NOTES = 'artifact-notes'
/** By artifact and who removes it, so that nobody ends what another has begun. */
const REMOVING = 'artifact-removing'

/** Whoever has not begun to remove the file by then lets it be. To remove it takes as long at most. */
const REMOVING_MS = 30_000
/** After so long nobody is at it any more: whoever was has given up, or is dead. */
const STALE_MS = 120_000
const WAIT_MS = 250

/**
 * Who takes an artifact away and who brings or names it, against each other: the note of an artifact goes once, to whoever
 * deletes it. Without a note nothing is removed.
 */
export class Removals {
  readonly #settings: Store['settings']
  readonly #clock: Clock

  constructor({ settings, clock }: Pick<Store, 'settings' | 'clock'>) {
    this.#settings = settings
    this.#clock = clock
  }

  note(artifact: string): Promise<void> {
    return this.#settings.put(ARTIFACT_NOTES, artifact, this.#clock.now())
  }

  async notedAt(artifact: string): Promise<number | undefined> {
    // Only `note` writes there.
    return (await this.#settings.get(ARTIFACT_NOTES, artifact)) as number | undefined
  }

  /**
   * Removes an artifact that was noted, unless that was called off. That it is being removed is known from before the note
   * goes until after the file has gone, so whoever finds neither finds the file gone, or in no danger.
   * @param by names this removal among others of the same artifact
   * @returns false when it was called off
   */
  async remove(artifact: string, by: string, run: () => Promise<unknown>): Promise<boolean> {
    const key = keyOf(artifact, by)
    const begunAt = this.#clock.now()
    await this.#settings.put(REMOVING, key, begunAt)
    const isOurs = await this.#settings.delete(ARTIFACT_NOTES, artifact)
    // One that was stopped here for long may have been taken for dead.
    const isInTime = this.#clock.now() - begunAt < REMOVING_MS
    // Where this fails, nobody knows whether the file will go: for a while, it is not to be brought back.
    if (isOurs && isInTime) await run()
    await this.#settings.delete(REMOVING, key)
    return isOurs && isInTime
  }

  /** Before an artifact is put: no removal takes it away afterwards. One that is under way is waited for. */
  async callOff(artifact: string): Promise<void> {
    if ((await this.notedAt(artifact)) !== undefined) await this.#settings.delete(ARTIFACT_NOTES, artifact)
    while (await this.#isUnderWay(artifact)) {
      await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, WAIT_MS))
    }
  }

  async #isUnderWay(artifact: string): Promise<boolean> {
    const underWay = await this.#settings.list(REMOVING, { prefix: keyOf(artifact, '') })
    const stale = underWay.filter(({ value }) => this.#clock.now() - Number(value) >= STALE_MS)
    for (const { key } of stale) await this.#settings.delete(REMOVING, key)
    return stale.length < underWay.length
  }
}

function keyOf(artifact: string, by: string): string {
  return `${artifact} ${by}`
}
