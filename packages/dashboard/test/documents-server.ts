import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const PROGRAM = join(import.meta.dirname, '../../../apps/documents/test/serve-documents.ts')

export type DocumentsServer = AsyncDisposable & { readonly url: string; readonly loginUrl: string }

/**
 * The real server of the documents app with a worker, in a process of its own.
 * @param options `dir`: what was left in it is gone on with, and it stays; `pageMs`: how long a page may take
 */
export async function serveDocuments(
  dist: string,
  options: { readonly dir?: string; readonly pageMs?: number } = {},
): Promise<DocumentsServer> {
  const args = ['--disable-warning=ExperimentalWarning', PROGRAM, dist, options.dir ?? '', String(options.pageMs ?? '')]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    const [loginUrl = ''] = line.split(' ')
    child.stdout.resume()
    return {
      url: new URL(loginUrl).origin,
      loginUrl,
      async [Symbol.asyncDispose]() {
        child.stdin.end()
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      },
    }
  }
  throw new Error(`The documents server ended with ${child.exitCode} before it said where it listens.`)
}
