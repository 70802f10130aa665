import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import AxeBuilder from '@axe-core/playwright'
import type { StatusInfo } from '@headrace/wire'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { type FakeServer, startFakeServer } from './fake-server.ts'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
// Where CI is set the browser is launched whether it is there or not, and its absence is a failure.
const SKIP = existsSync(CHROMIUM) || process.env.CI !== undefined ? false : `there is no ${CHROMIUM}; set CHROMIUM`
/** Software WebGL draws the map; the rest keeps the browser from talking to anyone. */
const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** Generous on purpose: it bounds a hanging test, and says nothing about speed. */
const WAIT_MS = 40_000

export type Opened = { readonly page: Page; readonly fake: FakeServer }

type Ground = { readonly dist: string; readonly browser: Browser }
let ground: Promise<Ground> | undefined

function theGround(): Promise<Ground> {
  ground ??= prepareGround()
  return ground
}

/** The pages as they are now, and a browser, made when the first test of a file needs them; gone after its last. */
async function prepareGround(): Promise<Ground> {
  const dist = await buildPages()
  return { dist, browser: await launchBrowser() }
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS })
}

after(async () => {
  const made = await ground?.catch(() => undefined) // The test that needed it has said why it failed.
  await made?.browser.close()
  if (made) await rm(made.dist, { recursive: true })
})

/** Where the pages of this test file lie, for a server of its own. */
export async function builtPages(): Promise<string> {
  return (await theGround()).dist
}

/**
 * Builds the pages into the folder that `headrace serve` takes them from, beside what is there: another test may be
 * serving that at this moment.
 */
export async function buildServedPages(): Promise<void> {
  const root = join(import.meta.dirname, '..')
  await build({ configFile: join(root, 'vite.config.ts'), logLevel: 'error', build: { emptyOutDir: false } })
}

/** The pages as they are now, in a folder of their own. */
export async function buildPages(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), 'headrace-pages-'))
  const root = join(import.meta.dirname, '..')
  await build({
    configFile: join(root, 'vite.config.ts'),
    logLevel: 'error',
    build: { outDir, reportCompressedSize: false },
  })
  return outDir
}

type PageTestOptions = { readonly jobs?: readonly StatusInfo[] } & BrowserContextOptions

/**
 * A test of one page over a fake server. Whatever it does, it fails when the page wrote an error to the console, when a
 * request failed, or when one went to another host.
 */
export function testPage(name: string, options: PageTestOptions, body: (opened: Opened) => Promise<void>) {
  const { jobs = [], ...contextOptions } = options
  testServed(name, async (open) => {
    await using fake = await startFakeServer({ dist: (await theGround()).dist, jobs })
    await using opened = await open(fake.url, fake.expectedFaults, contextOptions)
    await body({ page: opened.page, fake })
  })
}

export type Open = (
  url: string,
  expectedFaults?: string[],
  options?: BrowserContextOptions,
) => Promise<AsyncDisposable & { readonly page: Page; readonly expectedFaults: string[] }>

/**
 * The same over whatever server the test brings. `expectedFaults` are parts of messages or addresses. What is opened is
 * closed before the server is, or the server's end would be a fault of the page.
 */
export function testServed(name: string, body: (open: Open) => Promise<void>, { waitMs = WAIT_MS } = {}) {
  test(name, { skip: SKIP, timeout: 3 * waitMs }, async (t: TestContext) => {
    const { browser } = await theGround()
    const faults: string[] = []
    await body(async (url, expectedFaults = [], options = {}) => {
      const context = await browser.newContext({ ...CONTEXT, baseURL: url, ...options })
      context.setDefaultTimeout(waitMs)
      context.on('page', (page) => watchFaults(page, url, { expected: expectedFaults, found: faults }))
      return { page: await context.newPage(), expectedFaults, [Symbol.asyncDispose]: () => context.close() }
    })
    assert.deepEqual(faults, [], `${t.name}: the page must be quiet`)
  })
}

const CONTEXT: BrowserContextOptions = { viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' }

function watchFaults(
  page: Page,
  url: string,
  faults: { readonly expected: readonly string[]; readonly found: string[] },
) {
  const tell = (fault: string) => {
    if (!faults.expected.some((expected) => fault.includes(expected))) faults.found.push(fault)
  }
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) tell(`console: ${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', (error) => tell(`thrown: ${error.message}`))
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url())
    if (protocol !== 'data:' && protocol !== 'blob:' && origin !== url) tell(`foreign: ${request.url()}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400) tell(`${response.status()}: ${response.url()}`)
  })
}

/** What axe finds under WCAG 2.2 AA, one line each, so that a failure says what to mend. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(' ')} (${node.failureSummary})`),
  )
}
