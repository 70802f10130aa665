import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { mixedPdf, TALE, textPdf } from '../../../apps/documents/src/testing/make-documents.ts'
import { demoPdf, scannedPage } from './demo-documents.ts'
import { serveDocuments } from './documents-server.ts'
import { axeFindings, builtPages, type Open, testServed } from './pages.ts'

/** Recognising a page takes seconds, on a busy machine a minute. */
const SLOW = { waitMs: 150_000 }

type Chosen = { readonly name: string; readonly mimeType: string; readonly buffer: Buffer }

function fileOf(name: string, content: Uint8Array | string): Chosen {
  return { name, mimeType: '', buffer: Buffer.from(content) }
}

function choose(page: Page, files: readonly Chosen[]): Promise<void> {
  return page.getByLabel('Files to send').setInputFiles([...files])
}

async function openDocument(page: Page, name: string): Promise<string> {
  await page.getByRole('link', { name }).click()
  await page.getByRole('heading', { level: 1, name }).waitFor()
  return new URL(page.url()).pathname.split('/').at(-1) ?? ''
}

/** What a download link gives, as the file that the browser keeps. */
async function download(page: Page, name: string): Promise<{ readonly file: string; readonly bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()])
  return { file: download.suggestedFilename(), bytes: await readFile(await download.path()) }
}

/** The page of documents, of a server that has none yet. */
async function openDocumentsPage(open: Open) {
  await using resources = new AsyncDisposableStack()
  const served = resources.use(await serveDocuments(await builtPages()))
  const { page } = resources.use(await open(served.url))
  await page.goto(served.loginUrl)
  await page.goto('/app/documents')
  const opened = resources.move()
  return { page, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

testServed(
  'a PDF is chosen, sent and read; its words lie on its picture and are found by the keyboard',
  async (open) => {
    await using documents = await openDocumentsPage(open)
    const { page } = documents
    assert.deepEqual(await axeFindings(page), [])
    await choose(page, [fileOf('mill.pdf', await demoPdf())])
    await page.getByRole('progressbar', { name: 'The whole batch' }).waitFor()
    await openDocument(page, 'mill.pdf')
    // Each page is shown once it is read, whatever the others do.
    await page.getByRole('button', { name: 'Page 1, succeeded' }).waitFor()
    await page.getByRole('heading', { level: 1 }).getByText('succeeded').waitFor()
    await page.getByText('3 of 3 read').waitFor()

    await page.getByRole('searchbox').focus()
    await page.keyboard.type('worst of times')
    await page.getByText('2 found', { exact: true }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByText('1 of 2', { exact: true }).waitFor()
    await page
      .getByRole('button', { name: /^Page 2, succeeded/ })
      .and(page.locator('[aria-current]'))
      .waitFor()
    const current = page.locator('.page-words [data-hit=current]')
    assert.equal((await current.allTextContents()).join(' '), 'worst of times,')
    assert.equal(await page.locator('.page-image rect[data-hit=current]').count(), 3)
    const first = await current.first().getAttribute('data-word')
    await page.keyboard.press('Enter')
    await page.getByText('2 of 2', { exact: true }).waitFor()
    assert.notEqual(await current.first().getAttribute('data-word'), first)
    await page.keyboard.press('Shift+Enter')
    await page.getByText('1 of 2', { exact: true }).waitFor()

    // The word that is pointed at, its box, and how sure it is.
    await page.locator('.page-words [data-word="5"]').hover()
    const box = page.locator('.page-image rect[data-current]')
    assert.equal(await box.getAttribute('data-word'), '5')
    await page
      .locator('.word-facts')
      .getByText(/% sure/)
      .waitFor()
    await page.locator('.page-image rect[data-word="9"]').hover()
    assert.equal(await page.locator('.page-words [data-current]').getAttribute('data-word'), '9')
    await page.getByLabel(/^Text of page 2/).focus()
    await page.keyboard.press('ArrowRight')
    assert.equal(await page.locator('.page-words [data-current]').getAttribute('data-word'), '10')
    assert.deepEqual(await axeFindings(page), [])

    await page.getByRole('button', { name: 'Page 3, succeeded' }).click()
    await page.getByRole('heading', { name: 'Table 1 on page 3' }).waitFor()
    await page.getByRole('cell', { name: 'Penstock' }).waitFor()
    const text = await download(page, 'Text')
    assert.equal(text.file, 'mill.txt')
    assert.match(text.bytes.toString(), /^To the keeper of the lower mill/)
    const pdf = await download(page, 'Searchable PDF')
    assert.deepEqual([pdf.file, pdf.bytes.subarray(0, 5).toString()], ['mill.searchable.pdf', '%PDF-'])
    await page.getByText('3 pictures').click()
    const picture = await download(page, 'Picture of page 2')
    assert.deepEqual([picture.file, picture.bytes.readUInt16BE(0)], ['page-2.jpg', 0xffd8])
    await page.emulateMedia({ colorScheme: 'dark' })
    assert.deepEqual(await axeFindings(page), [])
    await page.setViewportSize({ width: 380, height: 760 })
    const widthPx = await page.evaluate(() => document.documentElement.scrollWidth)
    assert.ok(widthPx <= 380, `it is ${widthPx} px wide`)
  },
)

testServed(
  'who wants only the text gets it without a picture or a PDF',
  async (open) => {
    await using documents = await openDocumentsPage(open)
    const { page } = documents
    await page.getByText('How they are read').click()
    await page.getByLabel('Make').selectOption('text')
    assert.deepEqual(await axeFindings(page), [])
    await choose(page, [fileOf('tale.pdf', await textPdf([TALE.slice(0, 60)]))])
    await openDocument(page, 'tale.pdf')
    await page.getByRole('heading', { level: 1 }).getByText('succeeded').waitFor()
    await page.getByLabel(/^Text of page 1/).waitFor()
    await page.getByRole('link', { name: 'Markdown' }).waitFor()
    assert.equal(await page.locator('.page-image').count(), 0)
    assert.equal(await page.getByRole('link', { name: /PDF/ }).count(), 0)
  },
  SLOW,
)

testServed(
  'who wants text and page images finds the pictures, and no PDF',
  async (open) => {
    await using documents = await openDocumentsPage(open)
    const { page } = documents
    await page.getByText('How they are read').click()
    await page.getByLabel('Make').selectOption('images')
    await choose(page, [fileOf('tale.pdf', await textPdf([TALE.slice(0, 60)]))])
    await openDocument(page, 'tale.pdf')
    await page.getByText('One picture').click()
    const picture = await download(page, 'Picture of page 1')
    assert.equal(picture.bytes.readUInt16BE(0), 0xffd8)
    assert.equal(await page.getByRole('link', { name: /PDF/ }).count(), 0)
  },
  SLOW,
)

testServed(
  'a page that failed says why, and it alone is read again by its button',
  async (open) => {
    const dir = await mkdtemp(join(tmpdir(), 'headrace-pages-'))
    try {
      const dist = await builtPages()
      let id = ''
      {
        await using hasty = await serveDocuments(dist, { dir, pageMs: 1 })
        await using opened = await open(hasty.url)
        const { page } = opened
        await page.goto(hasty.loginUrl)
        await page.goto('/app/documents')
        await choose(page, [
          fileOf('scan.pdf', await mixedPdf(['Its first page says its text by itself.', await scannedPage()])),
        ])
        id = await openDocument(page, 'scan.pdf')
        await page.getByText('1 of 2 read, 1 failed').waitFor()
        await page.getByRole('button', { name: 'Page 2, failed' }).click()
        await page.getByRole('alert').getByText('was not recognised within 1 ms').waitFor()
        assert.deepEqual(await axeFindings(page), [])
      }
      await using served = await serveDocuments(dist, { dir })
      await using opened = await open(served.url)
      const { page } = opened
      await page.goto(served.loginUrl)
      await page.goto(`/app/documents/${id}?page=2`)
      await page.getByRole('button', { name: 'Read this page again' }).click()
      await page.waitForURL((url) => !url.pathname.endsWith(id))
      await page.getByText('2 of 2 read').waitFor()
      await page.locator('.page-words').getByText('wisdom,').first().waitFor()
      await page.getByRole('link', { name: 'the document before' }).click()
      await page.waitForURL(`**/app/documents/${id}*`)
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  },
  SLOW,
)

testServed(
  'a batch has one bar over all, sends three at a time, and lists those that failed',
  async (open) => {
    await using documents = await openDocumentsPage(open)
    const { page } = documents
    await page.evaluate(() => {
      const count = () => {
        const { most = '0' } = document.body.dataset
        const now = document.querySelectorAll('[role=progressbar][aria-label^="Sending "]').length
        document.body.dataset.most = String(Math.max(Number(most), now))
      }
      new MutationObserver(count).observe(document.body, { childList: true, subtree: true })
    })
    const letters = Array.from({ length: 40 }, (_, index) =>
      fileOf(`letter-${index}.txt`, `The letter ${index}. ${TALE}`),
    )
    const archive = fileOf('archive.zip', new Uint8Array([0x50, 0x4b, 5, 6, ...new Uint8Array(18)]))
    await choose(page, [
      ...letters,
      archive,
      fileOf('empty.txt', ''),
      fileOf('two.pdf', await textPdf(['One page of it', 'Two pages of it'])),
    ])
    await page.getByRole('heading', { name: 'Batch of 43' }).waitFor()
    await page.getByText('41 read', { exact: true }).waitFor()
    await page.getByText('2 failed', { exact: true }).waitFor()
    assert.equal(await page.getByRole('progressbar', { name: 'The whole batch' }).getAttribute('aria-valuenow'), '100')
    const failed = page.getByRole('region', { name: 'Failed (2)' })
    await failed.getByRole('link', { name: 'archive.zip' }).waitFor()
    await failed.getByText(/something of no kind that is known/).waitFor()
    await failed.getByText(/0 bytes/).waitFor()
    const most = Number(await page.evaluate(() => document.body.dataset.most))
    assert.ok(most >= 1 && most <= 3, `${most} uploads at once`)
    assert.deepEqual(await axeFindings(page), [])
    // Whoever comes back by the address finds the batch again.
    await page.reload()
    await page.getByText('41 read', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'letter-39.txt' }).waitFor()
  },
  SLOW,
)

testServed(
  'an upload that is cut off goes on where the server’s bytes end',
  async (open) => {
    await using served = await serveDocuments(await builtPages())
    await using opened = await open(served.url)
    const { page, expectedFaults } = opened
    expectedFaults.push('ERR_CONNECTION_RESET')
    await page.goto(served.loginUrl)
    await page.goto('/app/documents')
    const methods: string[] = []
    await page.route('**/uploads/*', async (route) => {
      const method = route.request().method()
      methods.push(method)
      if (method === 'PATCH' && methods.filter((one) => one === 'PATCH').length === 1)
        await route.abort('connectionreset')
      else await route.continue()
    })
    await choose(page, [fileOf('cut.txt', `Cut off once. ${TALE}`)])
    await page.getByText('1 read', { exact: true }).waitFor()
    assert.deepEqual(methods, ['POST', 'PATCH', 'HEAD', 'PATCH'])
    await openDocument(page, 'cut.txt')
    await page.locator('.flat-text').getByText('Cut off once.').waitFor()
    await page.getByRole('searchbox').fill('SEASON OF LIGHT')
    await page.getByText('1 found', { exact: true }).waitFor()
    await page.locator('mark').getByText('season of Light').waitFor()
  },
  SLOW,
)
