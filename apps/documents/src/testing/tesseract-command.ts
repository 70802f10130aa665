import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Debian's command, which reads with one core at a time as it is called here. Undefined where it is not installed. */
export async function tesseractVersion(): Promise<string | undefined> {
  const found = await run('tesseract', ['--version']).catch(() => undefined)
  return found && /tesseract\s+(\S+)/.exec(`${found.stdout}${found.stderr}`)?.[1]
}

/**
 * The words that it reads in a picture.
 * @param pdfBase makes a searchable PDF besides, as `<pdfBase>.pdf`
 */
export async function tesseractWords(path: string, { pdfBase }: { readonly pdfBase?: string } = {}): Promise<string[]> {
  const outputs = pdfBase === undefined ? ['stdout', '-l', 'eng'] : [pdfBase, '-l', 'eng', 'txt', 'pdf']
  const { stdout } = await run('tesseract', [path, ...outputs], {
    env: { ...process.env, OMP_THREAD_LIMIT: '1' },
    maxBuffer: 64_000_000,
  })
  const text = pdfBase === undefined ? stdout : await readFile(`${pdfBase}.txt`, 'utf8')
  return text.split(/\s+/).filter((word) => word !== '')
}
