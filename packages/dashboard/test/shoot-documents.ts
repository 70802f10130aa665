// Makes the pictures of docs/documents.md: node bin/node.cjs packages/dashboard/test/shoot-documents.ts [FOLDER]
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { docx, textPdf } from '../../../apps/documents/src/testing/make-documents.ts'
import { demoPdf } from './demo-documents.ts'
import { serveDocuments } from './documents-server.ts'
import { buildPages, launchBrowser } from './pages.ts'

const folder = process.argv[2] ?? join(import.meta.dirname, '../../../docs/images')
const dist = await buildPages()
const browser = await launchBrowser()
{
  await using served = await serveDocuments(dist)
  const context = await browser.newContext({
    baseURL: served.url,
    viewport: { width: 1280, height: 860 },
    reducedMotion: 'reduce',
    colorScheme: process.argv.includes('--dark') ? 'dark' : 'light',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(120_000)
  await page.goto(served.loginUrl)
  await page.goto('/app/documents')
  const files = [
    { name: 'mill.pdf', mimeType: 'application/pdf', buffer: Buffer.from(await demoPdf()) },
    { name: 'minutes.docx', mimeType: '', buffer: docx(['The minutes of the meeting.', 'Nobody spoke against it.']) },
    { name: 'archive.zip', mimeType: '', buffer: Buffer.from([0x50, 0x4b, 5, 6, ...new Uint8Array(18)]) },
  ]
  for (let letter = 1; letter <= 9; letter++) {
    const pages = Array.from(
      { length: letter },
      (_, index) => `Page ${index + 1} of the letter with the number ${letter}`,
    )
    files.push({ name: `letter-${letter}.pdf`, mimeType: '', buffer: Buffer.from(await textPdf(pages)) })
  }
  await page.getByLabel('Files to send').setInputFiles(files)
  await page.getByRole('heading', { name: /^Failed/ }).waitFor()
  await page.getByText(/^[3-9] read$/).waitFor()
  await page.screenshot({ path: join(folder, 'documents-batch.png') })
  await page.getByText('11 read', { exact: true }).waitFor()
  await page.getByRole('link', { name: 'mill.pdf' }).click()
  await page.getByRole('button', { name: /Page 2/ }).click()
  await page.getByRole('searchbox').fill('worst of times')
  await page.getByText('2 found', { exact: true }).waitFor()
  await page.getByRole('searchbox').press('Enter')
  await page.getByText('1 of 2', { exact: true }).waitFor()
  await page.locator('.page-words [data-word="40"]').hover()
  await page.locator('.page-image img').evaluate((image: HTMLImageElement) => image.decode())
  await page.screenshot({ path: join(folder, 'document.png') })
  await page.getByRole('button', { name: /Page 3/ }).click()
  await page.getByRole('heading', { name: /Table 1/ }).waitFor()
  if (process.argv[2] !== undefined) await page.screenshot({ path: join(folder, 'document-table.png'), fullPage: true })
  await context.close()
}
await browser.close()
await rm(dist, { recursive: true })
