import { existsSync, globSync, statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Dashboard =
  | { readonly state: 'built'; readonly dir: string }
  | { readonly state: 'missing'; readonly why: string }

/**
 * The folder of the built dashboard. Where vite is installed, as in a checkout, it is built now if it was never built or
 * its sources have changed since.
 * @param onBuild told before a build, for it takes some seconds
 */
export async function findDashboard(onBuild: () => void, root = dashboardRoot()): Promise<Dashboard> {
  if (root === undefined) return { state: 'missing', why: 'the package @headrace/dashboard is not installed' }
  const dir = join(root, 'dist')
  const isBuilt = existsSync(join(dir, 'index.html'))
  if (isBuilt && !isStale(root, dir)) return { state: 'built', dir }
  const vite = await loadVite()
  if (!vite && isBuilt) return { state: 'built', dir }
  if (!vite) return { state: 'missing', why: 'it was never built, and vite is not installed to build it' }
  onBuild()
  try {
    await build(vite, root, dir)
    return { state: 'built', dir }
  } catch (error) {
    return { state: 'missing', why: `building it failed: ${(error as Error).message.split('\n')[0]}` }
  }
}

function isStale(root: string, dir: string): boolean {
  const builtAt = statSync(join(dir, 'index.html')).mtimeMs
  const sources = globSync(['src/**/*.{ts,tsx,css}', 'public/*', 'index.html', 'vite.config.ts'], { cwd: root })
  return sources.some((source) => statSync(join(root, source)).mtimeMs > builtAt)
}

/** The part of vite's JavaScript API that is used; vite is no dependency of this package. */
type Vite = { build(options: object): Promise<unknown> }

function dashboardRoot(): string | undefined {
  try {
    return dirname(dirname(fileURLToPath(import.meta.resolve('@headrace/dashboard/dist'))))
  } catch {
    return undefined // not installed
  }
}

async function loadVite(): Promise<Vite | undefined> {
  const name: string = 'vite'
  try {
    return (await import(name)) as Vite // sound: see the type
  } catch {
    return undefined // not installed
  }
}

/** Into a folder of its own, which then takes its place: a build that breaks off leaves no half of one. */
async function build(vite: Vite, root: string, dir: string): Promise<void> {
  const partial = `${dir}.${process.pid}.partial`
  try {
    const configFile = join(root, 'vite.config.ts')
    await vite.build({ root, configFile, logLevel: 'error', build: { outDir: partial, emptyOutDir: true } })
    await rm(dir, { recursive: true, force: true })
    await rename(partial, dir)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}
