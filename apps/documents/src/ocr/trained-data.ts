import { access, mkdir, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { DocumentError } from '../errors.ts'

/** The one that comes along; `npm install @tesseract.js-data/deu` adds another. */
export const DEFAULT_LANGUAGE = 'eng'

const LANGUAGE_NAME = /^[a-z]{3}(_[a-z]+)?$/i

export type TrainedDataPlaces = {
  /** A folder with `<language>.traineddata` files, looked at first: `/usr/share/tesseract-ocr/5/tessdata` of Debian. */
  readonly tessdataDir?: string | undefined
  /** Where links to the files of one engine are gathered. */
  readonly cacheDir: string
}

/**
 * A folder that holds the trained data of these languages, all of it from this machine.
 * @throws {DocumentError} ocr_language_missing
 */
export async function gatherTrainedData(languages: readonly string[], places: TrainedDataPlaces): Promise<string> {
  const source = places.tessdataDir === undefined ? 'npm' : Buffer.from(places.tessdataDir).toString('hex').slice(-32)
  const folder = join(places.cacheDir, 'trained-data', `${source}-${[...languages].sort().join('-')}`)
  await mkdir(folder, { recursive: true })
  for (const language of languages) {
    const file = await findTrainedData(language, places)
    await symlink(file, join(folder, `${language}.traineddata`)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error // another thread was quicker
    })
  }
  return folder
}

/** @throws {DocumentError} ocr_language_missing */
export async function findTrainedData(
  language: string,
  { tessdataDir }: Omit<TrainedDataPlaces, 'cacheDir'>,
): Promise<string> {
  if (LANGUAGE_NAME.test(language)) {
    const candidates = [
      ...(tessdataDir === undefined ? [] : [join(tessdataDir, `${language}.traineddata`)]),
      ...packagedData(language),
    ]
    for (const path of candidates) {
      const isThere = await access(path).then(
        () => true,
        () => false,
      )
      if (isThere) return path
    }
  }
  throw new DocumentError(
    'ocr_language_missing',
    `There is no trained data for the language ${JSON.stringify(language.slice(0, 40))} here. Add it with ` +
      '`npm install @tesseract.js-data/…`, or name one that is there; eng is.',
  )
}

function packagedData(language: string): string[] {
  try {
    const packageJson = createRequire(import.meta.url).resolve(`@tesseract.js-data/${language}/package.json`)
    return [join(dirname(packageJson), '4.0.0_best_int', `${language}.traineddata.gz`)]
  } catch {
    return [] // not installed
  }
}
