import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

// The shared sample data: HEADRACE_TEST_DATA, or ../shared/data beside the repository.
const repository = resolve(import.meta.dirname, '../../../..')
const folder = join(process.env.HEADRACE_TEST_DATA ?? resolve(repository, '../shared/data'), 'watershed-sample')

/** For a test's `skip`: why the sample data is not there, or false. Where CI is set it is false, and the test fails instead. */
export const skipWithoutSampleData: string | false =
  existsSync(folder) || process.env.CI ? false : `no sample data at ${folder}; set HEADRACE_TEST_DATA`

export function samplePath(path: string): string {
  return join(folder, path)
}

/** A JSON file of the sample data. */
export function readSample<Content>(path: string): Content {
  return JSON.parse(readFileSync(samplePath(path), 'utf8')) as Content // files of known shape
}
