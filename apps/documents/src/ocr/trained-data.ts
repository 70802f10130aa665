import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { access, mkdir, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { DocumentError } from '../errors.ts'

/** The one that comes along; `npm install @tesseract.js-data/deu` adds another, and `apt install tesseract-ocr-deu` does. */
export const DEFAULT_LANGUAGE = 'eng'

/** In place of a folder: nothing but what comes by npm. */
const NPM_ONLY = 'npm'

const LANGUAGE_NAME = /^[a-z]{3}(_[a-z]+)?$/i
const SUFFIX = '.traineddata'

/** Where systems put the data of their `tesseract`: Debian and Ubuntu, Alpine and Arch, Fedora, Homebrew, Windows. */
const SYSTEM_DIRS = [
  '/usr/share/tesseract-ocr/5/tessdata',
  '/usr/share/tesseract-ocr/4.00/tessdata',
  '/usr/share/tessdata',
  '/usr/share/tesseract/tessdata',
  '/usr/local/share/tessdata',
  '/opt/homebrew/share/tessdata',
  'C:\\Program Files\\Tesseract-OCR\\tessdata',
]

export type TrainedDataPlaces = {
  /** Folders with `<language>.traineddata` files, looked at in this order, and before the packages of npm. */
  readonly tessdataDirs: readonly string[]
  /** Where links to the files of one engine are gathered. */
  readonly cacheDir: string
}

/**
 * The folders whose trained data go before those that come by npm.
 * @param named a folder, or `npm` for none; without it, what this machine's `tesseract` reads with, where it is installed
 * @throws {DocumentError} tessdata_missing: the folder that is named has none
 */
export function findTessdata(named: string | undefined, systemDirs: readonly string[] = SYSTEM_DIRS): string[] {
  if (named === NPM_ONLY) return []
  if (named === undefined || named === '') return systemDirs.filter(hasTrainedData).slice(0, 1)
  if (!hasTrainedData(named)) {
    throw new DocumentError(
      'tessdata_missing',
      `HEADRACE_TESSDATA names ${JSON.stringify(named)}, where no .traineddata file is. Name a folder that has some, such as ` +
        '/usr/share/tesseract-ocr/5/tessdata, or "npm" for those that come along.',
    )
  }
  return [resolve(named)]
}

function hasTrainedData(dir: string): boolean {
  try {
    return readdirSync(dir).some((name) => name.endsWith(SUFFIX))
  } catch {
    return false // not there, or not ours to read
  }
}

/**
 * A folder that holds the trained data of these languages, all of it from this machine.
 * @throws {DocumentError} ocr_language_missing
 */
export async function gatherTrainedData(languages: readonly string[], places: TrainedDataPlaces): Promise<string> {
  const files = await Promise.all(languages.map((language) => findTrainedData(language, places)))
  const name = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16)
  const folder = join(places.cacheDir, 'trained-data', name)
  await mkdir(folder, { recursive: true })
  for (const [index, language] of languages.entries()) {
    await symlink(files[index] ?? '', join(folder, language + SUFFIX)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error // another thread was quicker
    })
  }
  return folder
}

/** @throws {DocumentError} ocr_language_missing */
export async function findTrainedData(
  language: string,
  { tessdataDirs }: Pick<TrainedDataPlaces, 'tessdataDirs'>,
): Promise<string> {
  if (LANGUAGE_NAME.test(language)) {
    const candidates = [...tessdataDirs.map((dir) => join(dir, language + SUFFIX)), ...packagedData(language)]
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
      '`npm install @tesseract.js-data/…` or `apt install tesseract-ocr-…`, or name one that is there; eng is.',
  )
}

function packagedData(language: string): string[] {
  try {
    const packageJson = createRequire(import.meta.url).resolve(`@tesseract.js-data/${language}/package.json`)
    return [join(dirname(packageJson), '4.0.0_best_int', `${language}${SUFFIX}.gz`)]
  } catch {
    return [] // not installed
  }
}
