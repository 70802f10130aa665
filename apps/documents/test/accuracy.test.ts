import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findTessdata } from '../src/index.ts'
import { knownPages, tesseractVersion, tesseractWords, wordAccuracy } from '../src/testing/index.ts'
import { Documents } from './open-documents.ts'

/** Of each kind of page one; `npm run bench -- documents` reads them all, and measures. */
const WANTED = [1, 6, 8]
const ACCURACY_MIN = { plain: 0.99, rotated: 0.95, noisy: 0.95 } as const

const version = await tesseractVersion()
const skip = version === undefined && process.env.CI === undefined ? 'tesseract is not installed' : false

const DATA = { 'the data that come along': [], 'this machine’s data': findTessdata(undefined) }

for (const [data, tessdataDirs] of Object.entries(DATA)) {
  test(`with ${data}, plain, rotated and noisy pages are read as well as Debian’s tesseract reads them, or better`, {
    skip,
    timeout: 600_000,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'headrace-accuracy-'))
    try {
      await using documents = await Documents.open({ tessdataDirs })
      for await (const { name, kind, text, png } of knownPages((index) => WANTED.includes(index))) {
        const path = join(folder, 'page.png')
        await writeFile(path, png)
        const { pages } = await documents.read(png, { name })
        const ours = wordAccuracy(
          text,
          pages.flatMap(({ words }) => words.map((word) => word.text)),
        )
        const theirs = wordAccuracy(text, await tesseractWords(path))
        assert.ok(ours >= ACCURACY_MIN[kind], `${name}: ${ours}`)
        assert.ok(ours >= theirs, `${name}: ${ours}, and ${theirs} by tesseract ${version}`)
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
}
