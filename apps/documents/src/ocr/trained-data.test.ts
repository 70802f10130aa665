import assert from 'node:assert/strict'
import { mkdtemp, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findTessdata, findTrainedData, gatherTrainedData } from './trained-data.ts'

async function makeDir(...languages: readonly string[]) {
  const dir = await mkdtemp(join(tmpdir(), 'headrace-tessdata-'))
  for (const language of languages) await writeFile(join(dir, `${language}.traineddata`), language)
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}

test('of the folders where systems put trained data, the first that has some is taken', async () => {
  await using empty = await makeDir()
  await using full = await makeDir('eng')
  await using other = await makeDir('eng')
  const systemDirs = [join(empty.dir, 'none'), empty.dir, full.dir, other.dir]
  assert.deepEqual(findTessdata(undefined, systemDirs), [full.dir])
  assert.deepEqual(findTessdata(undefined, [empty.dir]), [])
})

test('a folder that is named is taken alone, and npm means none', async () => {
  await using system = await makeDir('eng')
  await using named = await makeDir('deu')
  assert.deepEqual(findTessdata(named.dir, [system.dir]), [named.dir])
  assert.deepEqual(findTessdata('npm', [system.dir]), [])
})

test('a folder without trained data is refused, with what to name instead', async () => {
  await using empty = await makeDir()
  assert.throws(() => findTessdata(empty.dir), { code: 'tessdata_missing', message: /Name a folder that has some/ })
})

test('what a folder lacks comes by npm, and both may be read with at once', async () => {
  await using folder = await makeDir('deu')
  const places = { tessdataDirs: [folder.dir], cacheDir: join(folder.dir, 'cache') }
  assert.match(await findTrainedData('eng', places), /@tesseract\.js-data/)
  const gathered = await gatherTrainedData(['deu', 'eng'], places)
  assert.equal(await readlink(join(gathered, 'deu.traineddata')), join(folder.dir, 'deu.traineddata'))
  assert.match(await readlink(join(gathered, 'eng.traineddata')), /4\.0\.0_best_int/)
})

test('a language is found again where it was added after it had been read with from elsewhere', async () => {
  await using folder = await makeDir('deu')
  const places = { tessdataDirs: [folder.dir], cacheDir: join(folder.dir, 'cache') }
  const before = await gatherTrainedData(['eng'], places)
  await writeFile(join(folder.dir, 'eng.traineddata'), 'eng')
  const after = await gatherTrainedData(['eng'], places)
  assert.notEqual(after, before)
  assert.equal(await readlink(join(after, 'eng.traineddata')), join(folder.dir, 'eng.traineddata'))
})

test('what is no name of a language is not looked for', async () => {
  await using folder = await makeDir('eng')
  const places = { tessdataDirs: [folder.dir] }
  for (const language of ['../eng', 'e', 'eng.traineddata'])
    await assert.rejects(findTrainedData(language, places), { code: 'ocr_language_missing' })
})
